package testnet

import (
	"context"
	"net/netip"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
)

// AskFunc is an Asker made of a function.
type AskFunc func(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error)

// Ask calls f.
func (f AskFunc) Ask(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
	return f(ctx, to, ttl)
}

// Refuse is an Asker that always fails.
func Refuse(err error) AskFunc {
	return func(context.Context, netip.Addr, int) (echo.Reply, error) { return echo.Reply{}, err }
}

// Deaf is a network in which no connection comes about and none is refused.
func Deaf(t *testing.T) probe.Env {
	env := Environment(t)
	env.Net = Broken{Net: env.Net, OnDial: UntilDone}
	return env
}

// Deref returns what p points to; the zero value for nil.
func Deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

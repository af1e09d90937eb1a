package testnet

import (
	"context"
	"net/netip"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// AskFunc is an Asker that calls a function.
type AskFunc func(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error)

// Ask calls f.
func (f AskFunc) Ask(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
	return f(ctx, to, ttl)
}

// Refuse returns an Asker that always fails.
func Refuse(err error) AskFunc {
	return func(context.Context, netip.Addr, int) (echo.Reply, error) { return echo.Reply{}, err }
}

// Blackhole returns a network in which no connection is established and none is
// refused.
func Blackhole(t *testing.T) probe.Env {
	env := probetest.Env(t)
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

package path

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestCompareSizes: large packets are dropped silently only if small ones are not and
// there is no ICMP error.
func TestCompareSizes(t *testing.T) {
	answered := func(ctx context.Context) (echo.Reply, error) { return echo.Reply{Kind: echo.Reached}, nil }
	silent := func(ctx context.Context) (echo.Reply, error) { <-ctx.Done(); return echo.Reply{}, echo.ErrSilent }
	failing := func(context.Context) (echo.Reply, error) { return echo.Reply{}, errors.New("refused") }
	told := func(context.Context) (echo.Reply, error) {
		return echo.Reply{}, fmt.Errorf("%w: %w", errTooLarge, syscall.EMSGSIZE)
	}
	byRouter := func(context.Context) (echo.Reply, error) {
		return echo.Reply{Kind: echo.Unreachable, ICMPError: true}, nil
	}
	nth := func(n int64, yes, no echo.Question) echo.Question {
		var count atomic.Int64 // requests of one size overlap
		return func(ctx context.Context) (echo.Reply, error) {
			if count.Add(1)%n == 0 {
				return yes(ctx)
			}
			return no(ctx)
		}
	}
	yes, no := new(true), new(false)
	for name, c := range map[string]struct {
		small, large echo.Question
		want         *bool
	}{
		"all pass":                               {answered, answered, no},
		"a large one passes later":               {answered, nth(5, answered, silent), no},
		"large ones vanish":                      {answered, silent, yes},
		"one small one lost as well":             {nth(4, silent, answered), silent, yes},
		"a lossy line":                           {nth(2, answered, silent), silent, nil},
		"the server is silent":                   {silent, silent, nil},
		"the server refuses":                     {failing, failing, nil},
		"this computer knows the MTU":            {answered, told, no},
		"a router reports the MTU later":         {answered, nth(3, told, silent), no},
		"a router reports the MTU":               {answered, byRouter, no},
		"known, but no response":                 {silent, told, nil},
		"large ones cannot be sent unfragmented": {answered, failing, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			d := &report.NetworkPath{}
			compareSizes(t.Context(), probetest.Env(t), c.small, c.large).record(d, "udp", 1500)
			if (d.MTUBlackhole == nil) != (c.want == nil) || c.want != nil && *d.MTUBlackhole != *c.want {
				t.Errorf("%s: got %v, want %v", name, probetest.Value(d.MTUBlackhole), probetest.Value(c.want))
			}
			if (d.MTUBlackhole != nil) != (d.MTUBy == "udp") {
				t.Errorf("%s: got by %q, want udp if and only if there is a result", name, d.MTUBy)
			}
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("%s: took %v, want at most 6s", name, took)
			}
		})
	}
}

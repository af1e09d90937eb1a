package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/adapter"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// askFunc is an Asker made of a function.
type askFunc func(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error)

func (f askFunc) Ask(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
	return f(ctx, to, ttl)
}

// replies answers after rtt, but for each n-th packet, which is lost.
func replies(rtt time.Duration, n int, r echo.Reply) askFunc {
	var count atomic.Int64
	return func(ctx context.Context, _ netip.Addr, _ int) (echo.Reply, error) {
		if n > 0 && count.Add(1)%int64(n) == 0 {
			<-ctx.Done()
			return echo.Reply{}, echo.ErrSilent
		}
		r.RTT = rtt
		return r, probe.SystemClock{}.Sleep(ctx, rtt)
	}
}

func refuse(err error) askFunc {
	return func(context.Context, netip.Addr, int) (echo.Reply, error) { return echo.Reply{}, err }
}

func wifi() adapter.Adapter {
	return adapter.Adapter{
		Kind: adapter.WiFi, SignalDBM: new(-61.0), RateMbps: new(144.4), MTU: 1500,
		Gateway: netip.MustParseAddr("192.168.178.1"), GatewayKnown: true,
	}
}

// deaf is a network in which no connection comes about and none is refused.
func deaf(t *testing.T) probe.Env {
	env := environment(t)
	env.Net = broken{Net: env.Net, dial: untilDone}
	return env
}

func runLink(t *testing.T, a adapter.Adapter, asker echo.Asker) (*report.NetworkLink, probe.Result) {
	t.Helper()
	return runLinkIn(t, deaf(t), a, asker)
}

func runLinkIn(t *testing.T, env probe.Env, a adapter.Adapter, asker echo.Asker) (*report.NetworkLink, probe.Result) {
	t.Helper()
	p := NewLink(LinkConfig{
		URL: "https://192.0.2.7", Asker: asker,
		Toward:   func(context.Context, netip.Addr) (adapter.Adapter, error) { return a, nil },
		Families: func() (bool, bool) { return true, false },
	})
	r, err := p.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	return r.Data.(*report.NetworkLink), r
}

// A router that is told not to answer pings still refuses connections.
func TestLinkAsksASilentRouterForARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := environment(t)
		env.Net = broken{Net: env.Net, dial: func(ctx context.Context) error {
			_ = probe.SystemClock{}.Sleep(ctx, 2*time.Millisecond)
			return syscall.ECONNREFUSED
		}}
		d, r := runLinkIn(t, env, wifi(), replies(0, 1, echo.Reply{}))
		if d.GatewayState != "answered" || deref(d.GatewayRTTMS) != 2 || deref(d.GatewayLossPct) != 0 || r.Status != report.StatusOK {
			t.Errorf("%+v, status %s", d, r.Status)
		}
	})
}

// An interface that goes away in the middle is no loss of the router's.
func TestLinkWhoseInterfaceGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		asker := askFunc(func(context.Context, netip.Addr, int) (echo.Reply, error) {
			if time.Since(start) > 2*time.Second {
				return echo.Reply{}, fmt.Errorf("send an echo: %w", syscall.ENETUNREACH)
			}
			return echo.Reply{Kind: echo.Reached, RTT: time.Millisecond}, nil
		})
		d, _ := runLink(t, wifi(), asker)
		if d.GatewayState != "answered" || d.GatewayLossPct != nil {
			t.Errorf("state %q, loss %v", d.GatewayState, d.GatewayLossPct)
		}
	})
}

func TestLinkMeasuresTheRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := runLink(t, wifi(), replies(3*time.Millisecond, 5, echo.Reply{Kind: echo.Reached}))
		if d.Kind != "wifi" || *d.SignalDBM != -61 || *d.MTU != 1500 || *d.VPN || !*d.IPv4 || *d.IPv6 || d.IPv6Reached != nil {
			t.Errorf("%+v", d)
		}
		if d.GatewayState != "answered" || *d.GatewaySent != gatewayPace.count || *d.GatewayLossPct != 20 || *d.GatewayRTTMS != 3 || *d.GatewayRTTP95MS != 3 {
			t.Errorf("gateway %s, sent %d, loss %v, RTT %v", d.GatewayState, *d.GatewaySent, *d.GatewayLossPct, *d.GatewayRTTMS)
		}
		if r.Status != report.StatusOK {
			t.Errorf("status %s", r.Status)
		}
	})
}

func TestLinkCallsNoSilenceALoss(t *testing.T) {
	for name, c := range map[string]struct {
		adapter adapter.Adapter
		asker   askFunc
		state   string
		status  report.Status
	}{
		"silent":           {wifi(), replies(0, 1, echo.Reply{}), "silent", report.StatusUnknown},
		"macOS forbids it": {wifi(), refuse(fmt.Errorf("send: %w", echo.ErrNotPermitted)), "not_permitted", report.StatusUnknown},
		"broken":           {wifi(), refuse(errors.New("network is down")), "failed", report.StatusUnknown},
		"few complaints":   {wifi(), replies(time.Millisecond, 2, echo.Reply{Kind: echo.Expired, Complaint: true}), "answered", report.StatusOK},
		"tunnel":           {adapter.Adapter{Kind: adapter.VPN, GatewayKnown: true}, refuse(nil), "none", report.StatusOK},
		"no table":         {adapter.Adapter{}, refuse(nil), "", report.StatusUnknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, r := runLink(t, c.adapter, c.asker)
			if d.GatewayState != c.state || r.Status != c.status || d.GatewayLossPct != nil || (r.Status == report.StatusUnknown) != (r.Note != "") {
				t.Errorf("%s: state %q, status %s, note %q, loss %v", name, d.GatewayState, r.Status, r.Note, d.GatewayLossPct)
			}
		})
	}
}

func TestLinkStopsWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		p := NewLink(LinkConfig{
			URL: "https://192.0.2.7", Asker: replies(time.Millisecond, 0, echo.Reply{Kind: echo.Reached}),
			Toward:   func(context.Context, netip.Addr) (adapter.Adapter, error) { return wifi(), nil },
			Families: func() (bool, bool) { return true, true },
		})
		start := time.Now()
		r, err := p.Run(ctx, deaf(t))
		if took := time.Since(start); err != nil || took > time.Second {
			t.Fatalf("took %v, %v", took, err)
		}
		if d := r.Data.(*report.NetworkLink); d.GatewayLossPct == nil || *d.GatewayLossPct != 0 || *d.GatewaySent > 6 {
			t.Errorf("%+v", d)
		}
	})
}

func TestLinkToThisComputerIsNone(t *testing.T) {
	r, err := NewLink(LinkConfig{URL: "https://127.0.0.1:8443"}).Run(t.Context(), environment(t))
	if err != nil || r.Status != report.StatusSkipped || r.Data != nil || !strings.Contains(r.Note, "this computer") {
		t.Errorf("%+v, %v", r, err)
	}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

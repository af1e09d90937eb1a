package web

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// shifted is a clock with an offset.
type shifted struct {
	probe.SystemClock
	offset time.Duration
}

func (c shifted) Now() time.Time { return time.Now().Add(c.offset) }

func TestClockOffset(t *testing.T) {
	header := func(set func(h http.Header, now time.Time)) *httptest.Server {
		return testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) { set(w.Header(), time.Now()) })
	}
	ms := header(func(h http.Header, now time.Time) { h.Set(wire.HeaderTimeMS, strconv.FormatInt(now.UnixMilli(), 10)) })
	date := header(func(http.Header, time.Time) {})
	for _, wrong := range []time.Duration{0, 5 * time.Minute, -90 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		for name, s := range map[string]*httptest.Server{"ms": ms, "date": date} {
			env := probetest.Env(t)
			env.Clock = shifted{offset: wrong}
			d, _ := run(t, direct("http", s, nil), env)
			if d.ClockOffsetMS == nil || d.ClockUncertaintyMS == nil {
				t.Fatalf("%s, %s: got %+v, want an offset", name, wrong, d)
			}
			// One ms more, because the header is truncated to whole ms.
			if off := math.Abs(*d.ClockOffsetMS - float64(wrong.Milliseconds())); off > *d.ClockUncertaintyMS+1 {
				t.Errorf("%s, %s: the offset is wrong by %g ms, reported ±%g", name, wrong, off, *d.ClockUncertaintyMS)
			}
			if name == "date" && *d.ClockUncertaintyMS < 500 {
				t.Errorf("got an uncertainty of ±%g ms for a Date, want at least 500", *d.ClockUncertaintyMS)
			}
		}
	}
	for name, s := range map[string]*httptest.Server{
		"cached":   header(func(h http.Header, _ time.Time) { h.Set("Age", "86400") }),
		"nonsense": header(func(h http.Header, _ time.Time) { h.Set("Date", "yesterday"); h.Set(wire.HeaderTimeMS, "-1e9") }),
	} {
		if d, _ := run(t, direct("http", s, nil), probetest.Env(t)); d.ClockOffsetMS != nil {
			t.Errorf("%s: got offset %g, want nil", name, *d.ClockOffsetMS)
		}
	}
}

func TestClockOffsetArithmetic(t *testing.T) {
	sent := time.Date(2026, 3, 4, 12, 0, 10, 0, time.UTC)
	round := 80 * time.Millisecond
	for name, c := range map[string]struct {
		received            time.Time
		server              time.Time
		resolution          time.Duration
		offset, uncertainty time.Duration
		ok                  bool
	}{
		"exact":          {sent.Add(round), sent.Add(40 * time.Millisecond), 0, 0, 40 * time.Millisecond, true},
		"we are fast":    {sent.Add(round), sent.Add(40*time.Millisecond - time.Minute), 0, time.Minute, 40 * time.Millisecond, true},
		"we are slow":    {sent.Add(round), sent.Add(40*time.Millisecond + time.Minute), 0, -time.Minute, 40 * time.Millisecond, true},
		"whole seconds":  {sent.Add(round), sent, time.Second, -460 * time.Millisecond, 540 * time.Millisecond, true},
		"set forward":    {sent.Add(round + time.Hour), sent, 0, 0, 0, false},
		"set back":       {sent.Add(round - time.Hour), sent, 0, 0, 0, false},
		"slewed by 1 ms": {sent.Add(round + time.Millisecond), sent.Add(40 * time.Millisecond), 0, 0, 40 * time.Millisecond, true},
	} {
		offset, uncertainty, ok := clockOffset(sent, c.received, round, c.server, c.resolution)
		if ok != c.ok || offset != c.offset || uncertainty != c.uncertainty {
			t.Errorf("%s: got %s ± %s, ok %t; want %s ± %s, %t", name, offset, uncertainty, ok, c.offset, c.uncertainty, c.ok)
		}
	}
}

// TestOldCertificateOrWrongClock: if a chain is valid at the server's time, this
// computer's clock is wrong.
func TestOldCertificateOrWrongClock(t *testing.T) {
	ca := newAuthority(t, "town")
	then := time.Now().AddDate(-2, 0, 0)
	cert := ca.sign(t, host, then.AddDate(0, -1, 0), then.AddDate(0, 1, 0))
	s := secure(t, cert, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wire.HeaderTimeMS, strconv.FormatInt(then.UnixMilli(), 10))
	})
	d, _ := run(t, direct("https", s, ca), probetest.Env(t))
	if d.TLSError != "expired" || d.ClockOffsetMS == nil || *d.ClockOffsetMS < 700*24*3600*1000 {
		t.Errorf("got %+v, want an expired certificate and an offset of years", d)
	}
}

// TestWhichClockIsWrong: if the server's clock differs from ours, a third one
// decides.
func TestWhichClockIsWrong(t *testing.T) {
	ca := newAuthority(t, "town")
	tells := func(off time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		}
	}
	const hour = time.Hour
	for name, c := range map[string]struct {
		server, collector, router time.Duration
		built                     time.Duration // relative to now, in the past
		want                      string
	}{
		"all agree":                                  {0, 0, 0, 0, ""},
		"a few seconds":                              {20 * time.Second, 0, 0, 0, ""},
		"the collector agrees with the server":       {hour, hour, 0, 0, "true"},
		"the collector agrees with us":               {hour, 0, hour, 0, "false"},
		"only the router, it agrees with the server": {hour, 9 * hour, hour, 0, "true"},
		"only the router, it agrees with us":         {hour, 9 * hour, 0, 0, "false"},
		"all clocks differ":                          {hour, 2 * hour, 3 * hour, 0, ""},
		"this program was built later":               {3 * 8760 * hour, 0, 0, 2 * 8760 * hour, "true"},
		"this program was built before":              {-hour, 9 * hour, 9 * hour, -8760 * hour, ""},
	} {
		config := direct("https", secure(t, ca.good(t), tells(c.server)), ca)
		config.CollectorURL = "https://" + host + ":" + port(secure(t, ca.good(t), tells(c.collector)))
		config.plainPort = port(testnet.Server(t, tells(c.router)))
		config.Router = func(context.Context) netip.Addr { return netip.MustParseAddr("127.0.0.1") }
		if c.built != 0 {
			config.Built = time.Now().Add(c.built)
		}
		d, _ := run(t, config, probetest.Env(t))
		got := ""
		if d.ClockConfirmed != nil {
			got = strconv.FormatBool(*d.ClockConfirmed)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q (%+v)", name, got, c.want, d)
		}
	}
}

// TestExpiredCertificate: the server's clock agrees with ours, so no clock is
// wrong.
func TestExpiredCertificate(t *testing.T) {
	ca := newAuthority(t, "town")
	cert := ca.sign(t, host, time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, -1, 0))
	d, _ := run(t, direct("https", secure(t, cert, ok), ca), probetest.Env(t))
	if d.TLSError != "expired" || d.ClockOffsetMS == nil || math.Abs(*d.ClockOffsetMS) > 5000 || d.ClockConfirmed != nil {
		t.Errorf("got %+v, want an expired certificate and no offset", d)
	}
}

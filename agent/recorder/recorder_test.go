package recorder

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestWiFiIsLostDuringAConference(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			r.with(5*time.Minute, nil)
			r.with(40*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		})
		if len(r.sent) != 1 {
			t.Fatalf("got %d reports, want 1", len(r.sent))
		}
		i := r.sent[0]
		if i.Event.Kind != report.EventWiFiDropped || i.Event.Program != "Zoom" || *i.Event.DurationS < 38 || *i.Event.DurationS > 42 {
			t.Errorf("got %+v, want wifi_dropped of Zoom for 40 s", i.Event)
		}
		if !strings.Contains(kinds(i.Crash.Events), "wifi_dropped Zoom") || len(i.History.Minutes) < 5 || len(i.History.Seconds) < 40 {
			t.Errorf("got %+v, %d minutes, %d seconds, want the loss, at least 5 and 40", i.Crash.Events, len(i.History.Minutes), len(i.History.Seconds))
		}
		away := 0.0
		for _, m := range i.History.Minutes {
			if m.AwayS != nil {
				away += *m.AwayS
			}
		}
		if away < 38 || away > 42 {
			t.Errorf("got %v s away, want 40", away)
		}
	})
	if events, err := Events(data, time.Time{}); err != nil || kinds(events) != "wifi_dropped Zoom" {
		t.Errorf("on disk: got %+v, %v, want one loss of the Wi-Fi", events, err)
	}
	if samples, err := Samples(data); err != nil || len(samples) < 220 || len(samples) > 300 {
		t.Errorf("got %d samples on disk, %v, want 220 to 300", len(samples), err)
	}
}

// TestObserversOfEachProblem: each problem is reported once, by the observers that detect it.
func TestObserversOfEachProblem(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*rig)
		want string // events
		sent string // of the reports
	}{
		"no fault for an hour": {func(r *rig) { r.with(time.Hour, nil) }, "", ""},
		"Wi-Fi lost, nobody in a conference": {func(r *rig) {
			r.view.Programs = nil
			r.Board.Set(r.view)
			r.with(time.Minute, nil)
			r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		}, "wifi_dropped", ""},
		"Wi-Fi lost, also by the kernel": {func(r *rig) {
			r.with(time.Minute, nil)
			r.records(report.HostEvent{At: time.Now(), Kind: report.EventWiFiDropped, Detail: "reason_4"})
			r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(20*time.Minute, nil)
		}, "wifi_dropped Zoom", "wifi_dropped"},
		"Wi-Fi switched off, known only from the system's records": {func(r *rig) {
			r.with(time.Minute, nil)
			r.records(report.HostEvent{At: time.Now(), Kind: report.EventLinkChanged, Detail: "switched_off"})
			r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(5*time.Minute, nil)
		}, "link_changed", ""},
		"a crash, then its end": {func(r *rig) {
			r.with(time.Minute, nil)
			r.records(report.HostEvent{At: time.Now(), Kind: report.EventClientCrashed, Program: "Zoom", Detail: "sigsegv"})
			r.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientEnded, Program: "Zoom"})
			r.with(3*time.Minute, nil)
		}, "client_crashed Zoom, client_ended Zoom", "client_crashed"},
		"closed by the person": {func(r *rig) {
			r.with(time.Minute, nil)
			r.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientEnded, Program: "Zoom"})
			r.with(20*time.Minute, nil)
		}, "client_ended Zoom", ""},
		"a hang and its end": {func(r *rig) {
			r.with(time.Minute, nil)
			at := time.Now()
			r.emit(report.HostEvent{At: at, Kind: report.EventClientHung, Program: "Zoom", Detail: "stopped"})
			r.with(20*time.Second, nil)
			r.emit(report.HostEvent{At: at, Kind: report.EventClientHung, Program: "Zoom", Detail: "stopped", DurationS: new(32.0)})
			r.with(3*time.Minute, nil)
		}, "client_hung Zoom", "client_hung"},
		"the router is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, router, server)
			r.with(30*time.Second, nil)
			r.silence(false, router, server)
			r.with(2*time.Minute, nil)
		}, "connection_lost Zoom", "connection_lost"},
		"only the router is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, router)
			r.with(30*time.Minute, nil)
		}, "", ""},
		"the collector is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, server)
			r.with(2*time.Minute, nil)
			r.silence(false, server)
			r.with(2*time.Minute, nil)
		}, "connection_lost Zoom", "connection_lost"},
		"a microphone pulled out in a conference, and back": {func(r *rig) {
			r.unplugs(10*time.Minute, new(true), "Zoom")
		}, "device_unplugged", "device_unplugged"},
		"a microphone pulled out, use unknown": {func(r *rig) {
			r.unplugs(10*time.Minute, nil, "Zoom")
		}, "device_unplugged", "device_unplugged"},
		"a microphone put away, a browser runs": {func(r *rig) {
			r.unplugs(10*time.Minute, new(false), "Chrome")
		}, "device_unplugged", ""},
		"a microphone put away, a program starts before it returns": {func(r *rig) {
			r.unplugs(45*time.Minute, nil)
		}, "device_unplugged", ""},
		"a microphone pulled out in a session, muted": {func(r *rig) {
			r.view.InSession = true
			r.unplugs(10*time.Minute, new(false), "Chrome")
		}, "device_unplugged", "device_unplugged"},
		"an old crash": {func(r *rig) {
			r.records(report.HostEvent{At: time.Now().Add(-5 * time.Hour), Kind: report.EventClientCrashed, Program: "Zoom"})
			r.with(3*time.Minute, nil)
		}, "client_crashed Zoom", ""},
		"a foreign event": {func(r *rig) {
			r.with(time.Minute, nil)
			r.emit(report.HostEvent{At: time.Now(), Kind: "exploded", Program: "Tagebuch"})
			r.with(3*time.Minute, nil)
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			var r *rig
			synctest.Test(t, func(t *testing.T) {
				r = newRig(data)
				r.during(t, func() { c.do(r) })
			})
			events, err := Events(data, time.Time{})
			var sent []string
			for _, i := range r.sent {
				sent = append(sent, string(i.Event.Kind))
			}
			if got := kinds(events); got != c.want || len(events) > 0 && err != nil || strings.Join(sent, ", ") != c.sent {
				t.Errorf("got events %q, want %q; got reports %q, want %q; %v", got, c.want, sent, c.sent, err)
			}
		})
	}
}

// TestRepeatedWiFiDropsAreLimited: a connection that drops repeatedly must not flood the
// collector.
func TestRepeatedWiFiDropsAreLimited(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			for range 60 {
				r.with(90*time.Second, nil)
				r.with(30*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			}
			r.with(time.Hour, nil)
		})
		total := 0
		for _, i := range r.sent {
			if i.History.Suppressed != nil {
				total += *i.History.Suppressed
			}
		}
		if len(r.sent) < 4 || len(r.sent) > 8 || total+len(r.sent)+r.limit.suppressed != 60 {
			t.Errorf("got %d reports, %d without one and %d to be counted; want 4 to 8, and 60 in total", len(r.sent), total, r.limit.suppressed)
		}
	})
}

// TestHowTheLastRunEnded covers all combinations of a clean stop or none, and a restart of the computer
// or none.
func TestHowTheLastRunEnded(t *testing.T) {
	for name, c := range map[string]struct {
		killed, rebooted bool
		want             string
	}{
		"stopped":               {false, false, ""},
		"killed":                {true, false, "service_restarted"},
		"restarted":             {false, true, "restarted"},
		"off without a warning": {true, true, "unexpected_shutdown"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				newRig(data).during(t, func() { time.Sleep(10 * time.Minute) })
				if c.killed {
					if _, _, _, err := openMark(data, time.Now()); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				r := newRig(data)
				if c.rebooted {
					r.booted = time.Now().Add(-30 * time.Second)
				}
				r.during(t, func() { time.Sleep(3 * time.Minute) })
			})
			if events, _ := Events(data, time.Time{}); kinds(events) != c.want {
				t.Errorf("got %q, want %q", kinds(events), c.want)
			}
		})
	}
}

// TestLongOutageHasItsWholeDuration: a machine that is silent for a long time does not end the outage.
func TestLongOutageHasItsWholeDuration(t *testing.T) {
	for name, c := range map[string]struct {
		silent []netip.Addr
		within float64 // seconds
	}{
		"router and collector": {[]netip.Addr{router, server}, 5},
		"collector":            {[]netip.Addr{server}, serverEveryQuiet.Seconds()},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(data)
				r.during(t, func() {
					r.with(5*time.Minute, nil)
					r.silence(true, c.silent...)
					r.with(time.Hour, nil)
					r.silence(false, c.silent...)
					r.with(5*time.Minute, nil)
				})
				if len(r.sent) != 1 {
					t.Errorf("got %d reports, want 1", len(r.sent))
				}
			})
			events, err := Events(data, time.Time{})
			if err != nil || kinds(events) != "connection_lost Zoom" {
				t.Fatalf("got %+v, %v, want one lost connection", events, err)
			}
			if s := *events[0].DurationS; math.Abs(s-3600) > c.within {
				t.Errorf("got a duration of %v s, want 3600 within %v", s, c.within)
			}
		})
	}
}

// TestRouterThatNeverResponded: the silence of a router that has never answered is not an
// outage.
func TestRouterThatNeverResponded(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.silence(true, router, server)
		r.during(t, func() { r.with(time.Hour, nil) })
		if len(r.sent) > 0 {
			t.Errorf("got a report of %+v, want none", r.sent[0].Event)
		}
	})
	if events, _ := Events(data, time.Time{}); len(events) > 0 {
		t.Errorf("got %+v, want none", events)
	}
}

package watch

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestPace(t *testing.T) {
	yes, no := new(true), new(false)
	for name, c := range map[string]struct {
		view View
		want time.Duration
	}{
		"nothing known":            {View{}, 2 * time.Second},
		"neither":                  {View{Metered: no, Saving: no}, 2 * time.Second},
		"metered":                  {View{Metered: yes}, 10 * time.Second},
		"saving":                   {View{Saving: yes, Metered: no}, 10 * time.Second},
		"in a session":             {View{Saving: yes, Metered: yes, InSession: true}, 2 * time.Second},
		"microphone in use":        {View{Metered: yes, InUse: yes}, 2 * time.Second},
		"microphone not in use":    {View{Metered: yes, InUse: no}, 10 * time.Second},
		"session, nothing to save": {View{InSession: true}, 2 * time.Second},
	} {
		if got := c.view.Pace(2 * time.Second); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestMeteredLine: the system is queried at the start, after each change of the connection, and from
// time to time.
func TestMeteredLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home, phone := linkstate.State{Connected: true, Kind: "wifi"}, linkstate.State{Connected: true, Kind: "cellular"}
		var now cell[linkstate.State]
		var metered cell[*bool]
		var asked cell[int]
		now.set(home)
		b := &Board{}
		n := &network{
			board: b, clock: probe.SystemClock{}, off: func() bool { return false },
			read:    func(context.Context) linkstate.State { return now.get() },
			metered: func(context.Context) *bool { asked.set(asked.get() + 1); return metered.get() },
			watch:   func(context.Context, chan<- struct{}) error { return linkstate.ErrUnsupported },
		}
		ctx, cancel := context.WithCancel(t.Context())
		var l log
		go func() { _ = n.run(ctx, l.emit) }()
		want := func(what string, state string, times int) {
			t.Helper()
			synctest.Wait()
			got := "unknown"
			if v := b.View(); v.Metered != nil {
				got = map[bool]string{true: "metered", false: "not metered"}[*v.Metered]
			}
			if got != state || asked.get() != times {
				t.Errorf("%s: got %s after %d requests, want %s after %d", what, got, asked.get(), state, times)
			}
		}
		time.Sleep(time.Minute)
		want("at the start", "unknown", 1)
		metered.set(new(true))
		now.set(phone)
		time.Sleep(time.Minute)
		want("on the phone's hotspot", "metered", 2)
		metered.set(new(false)) // the setting is changed
		time.Sleep(meteredEvery)
		want("later", "not metered", 3)
		cancel()
		synctest.Wait()
	})
}

// TestSavingIsOnTheBoard: the board shows that the computer saves power, and the watcher of the load
// becomes slower.
func TestSavingIsOnTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Board{}
		s := newLoadWatcher(b, probe.SystemClock{})
		var reads atomic.Int64
		var saving cell[*bool]
		s.read = func(context.Context) load.Reading { reads.Add(1); return load.Reading{CPUPct: new(70.0)} }
		s.supplied = func(context.Context) load.Supply { return load.Supply{Saving: saving.get()} }
		ctx, cancel := context.WithCancel(t.Context())
		var l log
		go func() { _ = s.run(ctx, l.emit) }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if v, n := b.View(), reads.Load(); v.Saving != nil || n < 299 || n > 301 {
			t.Errorf("got %+v after %d readings, want unknown after 300", v, n)
		}
		saving.set(new(true))
		time.Sleep(time.Minute)
		synctest.Wait()
		reads.Store(0)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if v, n := b.View(), reads.Load(); !v.Sparing() || n < 59 || n > 61 {
			t.Errorf("got %+v after %d readings, want saving after 60", v, n)
		}
		saving.set(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if b.View().Sparing() {
			t.Error("still sparing although unknown counts as no")
		}
		cancel()
		synctest.Wait()
	})
}

// TestReadingsOfACalmComputer: the load is read every 10 s, and every 2 s when it matters.
func TestReadingsOfACalmComputer(t *testing.T) {
	calm := load.Reading{CPUPct: new(20.0), MemoryFreeMB: new(4000.0), CPUPressurePct: new(3.0), MemoryPressurePct: new(0.0)}
	for name, c := range map[string]struct {
		view View
		to   func(*load.Reading)
		want int // in a minute
	}{
		"calm":            {want: 6},
		"nothing known":   {to: func(r *load.Reading) { *r = load.Reading{} }, want: 6},
		"a session":       {view: View{InSession: true}, want: 30},
		"the microphone":  {view: View{InUse: new(true)}, want: 30},
		"busy":            {to: func(r *load.Reading) { r.CPUPct = new(70.0) }, want: 30},
		"waiting":         {to: func(r *load.Reading) { r.CPUPressurePct = new(40.0) }, want: 30},
		"memory pressure": {to: func(r *load.Reading) { r.MemoryPressurePct = new(7.0) }, want: 30},
		"little memory":   {to: func(r *load.Reading) { r.MemoryFreeMB = new(200.0) }, want: 30},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, reads, reading := &Board{}, 0, calm
				b.Set(c.view)
				if c.to != nil {
					c.to(&reading)
				}
				s := newLoadWatcher(b, probe.SystemClock{})
				s.read = func(context.Context) load.Reading { reads++; return reading }
				s.supplied = func(context.Context) load.Supply { return load.Supply{} }
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute-time.Millisecond)
				defer cancel()
				_ = s.run(ctx, func(report.HostEvent) {})
				if reads < c.want || reads > c.want+1 {
					t.Errorf("got %d readings, want %d", reads, c.want)
				}
			})
		})
	}
}

// TestReadingsOfALink: one whose changes the system reports is read rarely, except for the signal of
// the Wi-Fi.
func TestReadingsOfALink(t *testing.T) {
	reported := func(ctx context.Context, _ chan<- struct{}) error { <-ctx.Done(); return ctx.Err() }
	unsupported := func(context.Context, chan<- struct{}) error { return linkstate.ErrUnsupported }
	for name, c := range map[string]struct {
		link  linkstate.State
		watch func(context.Context, chan<- struct{}) error
		want  int // in ten minutes
	}{
		"a cable":                 {linkstate.State{Connected: true, Kind: "ethernet"}, reported, 10},
		"Wi-Fi":                   {linkstate.State{Connected: true, Kind: "wifi"}, reported, 60},
		"none":                    {linkstate.State{}, reported, 60},
		"a cable, without events": {linkstate.State{Connected: true, Kind: "ethernet"}, unsupported, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reads := 0
				n := &network{
					board: &Board{}, clock: probe.SystemClock{}, off: func() bool { return false }, watch: c.watch,
					read:    func(context.Context) linkstate.State { reads++; return c.link },
					metered: func(context.Context) *bool { return nil },
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute-time.Millisecond)
				defer cancel()
				_ = n.run(ctx, func(report.HostEvent) {})
				if reads < c.want || reads > c.want+1 {
					t.Errorf("got %d readings, want %d", reads, c.want)
				}
			})
		})
	}
}

package watch

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// hourly is a computer on which everything changes every hour.
type hourly struct{ begun time.Time }

func (h hourly) odd() bool { return int(time.Since(h.begun)/time.Hour)%2 == 1 }

func (h hourly) scan() ([]process, error) {
	if h.odd() {
		return []process{{pid: int(time.Since(h.begun)/time.Hour) + 2, started: 1, program: "Zoom"}, {pid: 1, program: "Firefox"}}, nil
	}
	return []process{{pid: 1, program: "Firefox", stuck: "suspended"}}, nil
}

func (h hourly) refresh([]process) []process { all, _ := h.scan(); return all }

func (h hourly) link(context.Context) linkstate.State {
	return linkstate.State{Connected: true, Kind: map[bool]string{true: "wifi", false: "ethernet"}[h.odd()]}
}

func (h hourly) sound(context.Context) (osstate.Snapshot, error) {
	id := map[bool]string{true: "headset", false: "laptop"}[h.odd()]
	return osstate.Snapshot{DefaultID: id, Devices: map[string]osstate.Device{id: {}}, Uses: osstate.Uses{Known: true}}, nil
}

func (h hourly) clocks() reading {
	now := time.Since(h.begun)
	slept := time.Duration(int(now/(24*time.Hour))) * 8 * time.Hour // each night
	return reading{wall: h.begun.Add(now + slept), awake: now, elapsed: now + slept}
}

// changes reports an event every hour, and then ends, as a sound server does with its session.
func changes(ctx context.Context, changed chan<- struct{}) error {
	for range 5 {
		if err := (probe.SystemClock{}).Sleep(ctx, time.Hour); err != nil {
			return err
		}
		changed <- struct{}{}
	}
	return nil
}

// TestThirtyDaysOfTheWatchers: neither goroutines nor memory grow while everything changes every hour.
func TestThirtyDaysOfTheWatchers(t *testing.T) {
	need.Full(t, "takes some seconds")
	synctest.Test(t, func(t *testing.T) {
		b, clock, h := &Board{}, probe.SystemClock{}, hourly{time.Now()}
		n, so, sl, lo, pr := newNetwork(b, clock), newSound(b, clock), newSleep(clock), newLoadWatcher(b, clock), newPrograms(b, clock)
		n.read, n.off, n.watch = h.link, func() bool { return false }, changes
		n.metered = func(context.Context) *bool { return new(h.odd()) }
		so.read, so.watch = h.sound, changes
		sl.read = h.clocks
		lo.read = func(context.Context) load.Reading {
			return load.Reading{CPUPct: new(map[bool]float64{true: 99}[h.odd()])}
		}
		lo.supplied = func(context.Context) load.Supply {
			return load.Supply{Power: map[bool]string{true: "battery", false: "mains"}[h.odd()], Saving: new(h.odd())}
		}
		pr.table = h
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		var events cell[map[report.HostEventKind]int]
		events.set(map[report.HostEventKind]int{})
		emit := func(e report.HostEvent) {
			events.mu.Lock()
			defer events.mu.Unlock()
			if !e.Valid() {
				t.Errorf("got %+v, want a valid event", e)
			}
			events.v[e.Kind]++
		}
		for _, run := range []func(context.Context, Emit) error{n.run, so.run, sl.run, lo.run, pr.run} {
			running.Go(func() { _ = run(ctx, emit) })
		}
		resources := func() (goroutines int, heap uint64) {
			synctest.Wait()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return runtime.NumGoroutine(), m.HeapAlloc
		}
		time.Sleep(3 * 24 * time.Hour)
		goroutines, heap := resources()
		time.Sleep(27 * 24 * time.Hour)
		if g, m := resources(); g > goroutines || m > heap+1<<20 {
			t.Errorf("got %d goroutines, a heap of %d bytes; want at most %d, %d", g, m, goroutines, heap+1<<20)
		}
		cancel()
		running.Wait()
		for _, kind := range []report.HostEventKind{
			report.EventLinkChanged, report.EventDeviceUnplugged, report.EventSleep, report.EventResume,
			report.EventPowerChanged, report.EventOverloaded, report.EventClientStarted, report.EventClientEnded, report.EventClientHung,
		} {
			if n := events.v[kind]; n < 20 || n > 2000 {
				t.Errorf("got %d events %s in 30 days, want 20 to 2000", n, kind)
			}
		}
	})
}

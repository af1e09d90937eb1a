package watch

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	loadEvery = 2 * time.Second
	// calmEvery is the interval while the computer is far from an overload and no program uses the
	// microphone: reading the load is a third of the work of an idle service.
	calmEvery = 10 * time.Second
	// supplyEvery is the interval of readings that are slower, and change rarely.
	supplyEvery = time.Minute
	// overloadAfter is how long a computer must be overloaded to count. Starting a browser
	// takes less.
	overloadAfter = 30 * time.Second

	busyPct         = 95.0
	cpuWaitPct      = 60.0 // programs wait for a processor more than half of the time
	memoryWaitPct   = 10.0
	memoryFreeMinMB = 150.0
	diskFreeMinMB   = 200.0

	// calmShare is the part of these limits below which a computer is calm.
	calmShare = 0.6
)

// loadWatcher watches load, memory, power and disk.
type loadWatcher struct {
	board    *Board
	clock    probe.Clock
	read     func(context.Context) load.Reading
	supplied func(context.Context) load.Supply

	cpu, memory overload
	last        load.Supply
	known       bool
	diskLow     bool
	calm        bool // at the last reading
}

func newLoadWatcher(b *Board, clock probe.Clock) *loadWatcher {
	o := load.NewObserver()
	return &loadWatcher{board: b, clock: clock, read: o.Read, supplied: o.Supply,
		cpu: overload{detail: "cpu"}, memory: overload{detail: "memory"}}
}

func (s *loadWatcher) run(ctx context.Context, emit Emit) error {
	var supplied time.Time
	for {
		if now := s.clock.Now(); now.Sub(supplied).Abs() >= supplyEvery {
			supplied = now
			s.checkSupply(ctx, emit)
		}
		s.check(ctx, emit)
		if err := SleepUntilNext(ctx, s.clock, s.pace()); err != nil {
			return err
		}
	}
}

func (s *loadWatcher) pace() time.Duration {
	v := s.board.View()
	if s.calm && !v.InSession && !isTrue(v.InUse) {
		return calmEvery
	}
	return v.Pace(loadEvery)
}

func (s *loadWatcher) check(ctx context.Context, emit Emit) {
	r := s.read(ctx)
	s.board.update(func(v *View) { v.CPUPct, v.MemoryFreeMB = r.CPUPct, r.MemoryFreeMB })
	s.calm = !above(r.CPUPct, calmShare*busyPct) && !above(r.CPUPressurePct, calmShare*cpuWaitPct) &&
		!above(r.MemoryPressurePct, calmShare*memoryWaitPct) && !below(r.MemoryFreeMB, memoryFreeMinMB/calmShare)
	now := s.clock.Now()
	s.cpu.observe(above(r.CPUPct, busyPct) || above(r.CPUPressurePct, cpuWaitPct), now, emit)
	s.memory.observe(above(r.MemoryPressurePct, memoryWaitPct) || below(r.MemoryFreeMB, memoryFreeMinMB), now, emit)
}

func (s *loadWatcher) checkSupply(ctx context.Context, emit Emit) {
	now, was, known := s.supplied(ctx), s.last, s.known
	s.last, s.known = now, true
	s.board.update(func(v *View) { v.Saving = now.Saving })
	at := s.clock.Now()
	changed := func(kind report.HostEventKind, detail string) {
		e := happened(kind, at)
		e.Detail = detail
		emit(e)
	}
	low := below(now.DiskFreeMB, diskFreeMinMB)
	if low && !s.diskLow {
		changed(report.EventDiskLow, "")
	}
	s.diskLow = low
	if !known {
		return
	}
	if now.Power != was.Power && now.Power != "" && was.Power != "" {
		changed(report.EventPowerChanged, now.Power)
	}
	if now.Saving != nil && was.Saving != nil && *now.Saving != *was.Saving {
		detail := "saving_off"
		if *now.Saving {
			detail = "saving_on"
		}
		changed(report.EventPowerChanged, detail)
	}
}

func above(v *float64, limit float64) bool { return v != nil && *v >= limit }
func below(v *float64, limit float64) bool { return v != nil && *v < limit }

// overload is a period of overload. It is emitted once it has lasted for overloadAfter, and
// again with its duration when it is over.
type overload struct {
	detail  string
	since   time.Time
	emitted bool
}

func (s *overload) observe(holds bool, now time.Time, emit Emit) {
	switch {
	case holds && s.since.IsZero():
		s.since = now
	case holds && !s.emitted && now.Sub(s.since) >= overloadAfter:
		s.emitted = true
		emit(s.event(nil))
	case !holds && s.emitted:
		emit(s.event(new(min(now.Sub(s.since), maxSleep).Seconds())))
	}
	if !holds {
		s.since, s.emitted = time.Time{}, false
	}
}

func (s *overload) event(durationS *float64) report.HostEvent {
	e := happened(report.EventOverloaded, s.since)
	e.Detail, e.DurationS = s.detail, durationS
	return e
}

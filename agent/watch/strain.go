package watch

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	strainEvery = 2 * time.Second
	// supplyEvery is the interval of readings that are slower, and change rarely.
	supplyEvery = time.Minute
	// strainFor is how long a computer must be overloaded to count. Starting a browser
	// takes less.
	strainFor = 30 * time.Second

	busyPct         = 95.0
	cpuWaitPct      = 60.0 // programs wait for a processor more than half of the time
	memoryWaitPct   = 10.0
	memoryFreeMinMB = 150.0
	diskFreeMinMB   = 200.0
)

// strain watches load, memory, power and disk.
type strain struct {
	board    *Board
	clock    probe.Clock
	read     func(context.Context) load.Reading
	supplied func(context.Context) load.Supply

	cpu, memory spell
	last        load.Supply
	known       bool
	diskLow     bool
}

func newStrain(b *Board, clock probe.Clock) *strain {
	o := load.NewObserver()
	return &strain{board: b, clock: clock, read: o.Read, supplied: o.Supply,
		cpu: spell{detail: "cpu"}, memory: spell{detail: "memory"}}
}

func (s *strain) run(ctx context.Context, emit Emit) error {
	for n := 0; ; n++ {
		if n%int(supplyEvery/strainEvery) == 0 {
			s.lookAtSupply(ctx, emit)
		}
		s.look(ctx, emit)
		if err := SleepUntilNext(ctx, s.clock, strainEvery); err != nil {
			return err
		}
	}
}

func (s *strain) look(ctx context.Context, emit Emit) {
	r := s.read(ctx)
	s.board.update(func(v *View) { v.CPUPct, v.MemoryFreeMB = r.CPUPct, r.MemoryFreeMB })
	now := s.clock.Now()
	s.cpu.see(above(r.CPUPct, busyPct) || above(r.CPUPressurePct, cpuWaitPct), now, emit)
	s.memory.see(above(r.MemoryPressurePct, memoryWaitPct) || below(r.MemoryFreeMB, memoryFreeMinMB), now, emit)
}

func (s *strain) lookAtSupply(ctx context.Context, emit Emit) {
	now, was, known := s.supplied(ctx), s.last, s.known
	s.last, s.known = now, true
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

// spell is a period of overload. It is emitted once it has lasted for strainFor, and
// again with its duration when it is over.
type spell struct {
	detail string
	since  time.Time
	told   bool
}

func (s *spell) see(holds bool, now time.Time, emit Emit) {
	switch {
	case holds && s.since.IsZero():
		s.since = now
	case holds && !s.told && now.Sub(s.since) >= strainFor:
		s.told = true
		emit(s.event(nil))
	case !holds && s.told:
		emit(s.event(new(min(now.Sub(s.since), maxSleep).Seconds())))
	}
	if !holds {
		s.since, s.told = time.Time{}, false
	}
}

func (s *spell) event(durationS *float64) report.HostEvent {
	e := happened(report.EventOverloaded, s.since)
	e.Detail, e.DurationS = s.detail, durationS
	return e
}

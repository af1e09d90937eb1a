package watch

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	sleepEvery = 4 * time.Second
	// minSleep is the shortest sleep and the smallest step of the clock that count. A busy
	// computer delays a timer by less.
	minSleep = 5 * time.Second
	// maxSleep bounds a duration in a report.
	maxSleep = 7 * 24 * time.Hour
)

// reading is the time by three clocks, two of which count from an arbitrary origin.
type reading struct {
	wall time.Time
	// awake does not advance while the computer sleeps; elapsed does.
	awake, elapsed time.Duration
}

// sleep detects that the computer slept, or that its clock was set.
type sleep struct {
	clock probe.Clock
	read  func() reading
	last  reading
	known bool
}

func newSleep(clock probe.Clock) *sleep {
	return &sleep{clock: clock, read: func() reading {
		awake, elapsed := systemClocks()
		return reading{wall: clock.Now().Round(0), awake: awake, elapsed: elapsed}
	}}
}

func (s *sleep) run(ctx context.Context, emit Emit) error {
	for {
		s.check(emit)
		if err := SleepUntilNext(ctx, s.clock, sleepEvery); err != nil {
			return err
		}
	}
}

func (s *sleep) check(emit Emit) {
	now := s.read()
	last, known := s.last, s.known
	s.last, s.known = now, true
	if !known {
		return
	}
	elapsed := now.elapsed - last.elapsed
	slept := elapsed - (now.awake - last.awake)
	if slept >= minSleep {
		// Calculated from the clock after the sleep, in case it was set in the meantime.
		began := happened(report.EventSleep, now.wall.Add(-slept))
		began.DurationS = new(min(slept, maxSleep).Seconds())
		ended := happened(report.EventResume, now.wall)
		ended.DurationS = began.DurationS
		emit(began)
		emit(ended)
	}
	step := now.wall.Sub(last.wall) - elapsed
	if step.Abs() >= minSleep {
		e := happened(report.EventClockChanged, now.wall)
		e.DurationS = new(min(step.Abs(), maxSleep).Seconds())
		e.Detail = "forward"
		if step < 0 {
			e.Detail = "back"
		}
		emit(e)
	}
}

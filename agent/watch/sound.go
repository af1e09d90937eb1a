package watch

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// soundEvery is how often the devices are read without an event. Systems without events
// are polled at this interval.
const soundEvery = 30 * time.Second

// sound watches the default microphone. It opens no stream.
type sound struct {
	board *Board
	clock probe.Clock
	read  func(context.Context) (osstate.Snapshot, error)
	watch func(context.Context, chan<- struct{}) error

	last  osstate.Snapshot
	known bool
	// gone contains the devices that disappeared while they were the default, and when.
	gone map[string]time.Time
}

func newSound(b *Board, clock probe.Clock) *sound {
	return &sound{
		board: b, clock: clock, gone: map[string]time.Time{},
		read: func(ctx context.Context) (osstate.Snapshot, error) { return osstate.Read(ctx, 0) },
		watch: func(ctx context.Context, changed chan<- struct{}) error {
			err := osstate.Watch(ctx, changed)
			if errors.Is(err, osstate.ErrUnsupported) {
				return errors.ErrUnsupported
			}
			return err
		},
	}
}

func (s *sound) run(ctx context.Context, emit Emit) error {
	return follow(ctx, s.clock, func() time.Duration { return soundEvery }, s.watch, func(ctx context.Context) { s.check(ctx, emit) })
}

// maxGone limits the devices whose return is awaited.
const maxGone = 8

func (s *sound) check(ctx context.Context, emit Emit) {
	now, err := s.read(ctx)
	if err != nil {
		// This does not mean that a device was unplugged: the sound server has ended, or
		// belongs to another user.
		s.known = false
		s.board.update(func(v *View) { v.Muted, v.InUse = nil, nil })
		return
	}
	s.board.update(func(v *View) { v.Muted, v.InUse = mutedIn(now), inUse(now) })
	at := s.clock.Now()
	if s.known {
		s.compare(now, at, emit)
	}
	for id, since := range s.gone {
		if present(now, id) {
			e := happened(report.EventDeviceUnplugged, since)
			e.DurationS = new(at.Sub(since).Seconds())
			emit(e)
			delete(s.gone, id)
		}
	}
	s.last, s.known = now, true
}

func (s *sound) compare(now osstate.Snapshot, at time.Time, emit Emit) {
	was := s.last.DefaultID
	switch {
	case was == "" || isMonitor(s.last, was):
		if now.DefaultID != was {
			emit(happened(report.EventDeviceChanged, at))
		}
	case !present(now, was):
		emit(happened(report.EventDeviceUnplugged, at))
		if len(s.gone) < maxGone {
			s.gone[was] = at
		}
	case now.DefaultID != was:
		emit(happened(report.EventDeviceChanged, at))
	}
}

// present reports whether a device exists and is plugged in.
func present(s osstate.Snapshot, id string) bool {
	d, ok := s.Devices[id]
	return ok && (d.Unplugged == nil || !*d.Unplugged)
}

// isMonitor reports whether a device is not a microphone but a monitor of the computer's
// own output.
func isMonitor(s osstate.Snapshot, id string) bool {
	d := s.Devices[id]
	return d.IsMonitor != nil && *d.IsMonitor
}

func mutedIn(s osstate.Snapshot) *bool { return s.Devices[s.DefaultID].Muted }

func inUse(s osstate.Snapshot) *bool {
	if !s.Uses.Known {
		return nil
	}
	return new(len(s.Uses.List) > 0)
}

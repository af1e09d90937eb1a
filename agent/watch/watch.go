// Package watch observes the computer between checks: its network, its microphone, its
// load and power, sleep, and the conference programs that run. Each watcher is a small
// loop that emits events and keeps the latest state on a board.
//
// Only the programs in Clients are named. Command lines, titles, paths and the names of
// networks are never read.
package watch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Emit receives an event. An event may be emitted again with a duration once it is over;
// its kind, time and program are the same then. Emit must not block.
type Emit func(report.HostEvent)

// Watcher is one loop. Run returns early only if it cannot continue.
type Watcher struct {
	Name string // in lower case, for the log
	Run  func(ctx context.Context, emit Emit) error
}

// All returns the watchers of this system, which keep their latest state on b.
func All(b *Board, clock probe.Clock) []Watcher {
	return []Watcher{
		{"network changes", newNetwork(b, clock).run},
		{"sound devices", newSound(b, clock).run},
		{"sleep", newSleep(clock).run},
		{"load", newLoadWatcher(b, clock).run},
		{"programs", newPrograms(b, clock).run},
	}
}

// View is the latest state that the watchers have read. nil and "" mean unknown.
type View struct {
	// Linked is true once Link was read.
	Linked bool
	Link   linkstate.State
	// WiFiOff is true if a person switched the Wi-Fi off.
	WiFiOff bool
	// Muted is the state of the default microphone, InUse whether a program uses one.
	Muted, InUse *bool
	// CPUPct and MemoryFreeMB are the latest readings.
	CPUPct, MemoryFreeMB *float64
	// Programs are the running clients, in the order of Clients.
	Programs []string
	// Metered is whether traffic costs money, Saving whether the computer saves power.
	Metered, Saving *bool
	// InSession is true during a session that the collector announced.
	InSession bool
}

// Sparing reports whether the agent should use the line and the battery less than usual.
// Unknown counts as no.
func (v View) Sparing() bool { return isTrue(v.Metered) || isTrue(v.Saving) }

func isTrue(v *bool) bool { return v != nil && *v }

// sparingFactor is how much longer the intervals of the watchers and the recorder are on a
// metered line, or while the computer saves power.
const sparingFactor = 5

// Pace returns the interval of a loop that usually has the given one. While a program uses the
// microphone, or during a session, it is never longer, so that a fault in a conference can be
// explained.
func (v View) Pace(usual time.Duration) time.Duration {
	if v.Sparing() && !v.InSession && !isTrue(v.InUse) {
		return sparingFactor * usual
	}
	return usual
}

// Board holds a View for concurrent use. Its zero value is ready.
type Board struct {
	mu   sync.Mutex
	view View
}

// View returns a copy of the latest state.
func (b *Board) View() View {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.view
	v.Programs = slices.Clone(v.Programs)
	return v
}

// SetInSession sets whether a session is in progress, which the watchers cannot detect.
func (b *Board) SetInSession(in bool) { b.update(func(v *View) { v.InSession = in }) }

// Set replaces the state.
func (b *Board) Set(v View) { b.update(func(old *View) { *old = v }) }

func (b *Board) update(set func(*View)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set(&b.view)
}

// Clients returns the programs that are watched, those of conferences before browsers.
// Their order is part of the format of the flight recorder.
func Clients() []string {
	return []string{
		"Zoom", "Teams", "Webex", "OpenTalk", "Skype", "GoTo", "Jitsi", "alfaview",
		"Chrome", "Chromium", "Firefox", "Edge", "Safari", "Opera", "Brave", "Vivaldi",
	}
}

// follow calls look at once, after each event of watch, and at least every interval. Where
// the system has no events, or they end, it only polls.
func follow(ctx context.Context, clock probe.Clock, interval func() time.Duration, watch func(context.Context, chan<- struct{}) error, look func(context.Context)) error {
	// A burst of events, such as the start of a network, causes a single call.
	const settle = 300 * time.Millisecond
	changed := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	watching := guard.Group{Stop: cancel}
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { watchAgain(ctx, clock, watch, changed) })
	for {
		look(ctx)
		wait, stop := context.WithTimeout(ctx, interval())
		select {
		case <-changed:
			_ = clock.Sleep(ctx, settle)
		case <-wait.Done():
		}
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// watchAgain keeps a watch running. A sound server, for example, ends with its session.
func watchAgain(ctx context.Context, clock probe.Clock, watch func(context.Context, chan<- struct{}) error, changed chan<- struct{}) {
	const again = time.Minute
	for {
		err := watch(ctx, changed)
		if ctx.Err() != nil || isUnsupported(err) || clock.Sleep(ctx, again) != nil {
			return
		}
	}
}

func isUnsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, linkstate.ErrUnsupported)
}

// SleepUntilNext waits for the next multiple of an interval. Loops with the same interval
// then wake together: waking an idle process takes more energy than their work.
func SleepUntilNext(ctx context.Context, clock probe.Clock, every time.Duration) error {
	now := clock.Now()
	return clock.Sleep(ctx, every-now.Sub(now.Truncate(every)))
}

// happened returns an event without its details.
func happened(kind report.HostEventKind, at time.Time) report.HostEvent {
	return report.HostEvent{Kind: kind, At: at.UTC()}
}

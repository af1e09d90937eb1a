package tui

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// backlog is the maximum number of events of a check that wait to be shown.
const backlog = 512

// check is one running check. Its number distinguishes its messages from those of earlier
// checks.
type check struct {
	number int
	events chan probe.Event
	over   <-chan struct{}
	names  localNames
	tone   toneQuestion
	cancel context.CancelFunc
	// tell passes events on to phone support; nil if it has not requested the check.
	tell func(probe.Event)
}

// pass sends an event to the screen and never blocks. Levels are dropped first, since there
// are many.
func (c *check) pass(e probe.Event) {
	if e.Kind == probe.EventDeviceNames {
		c.names.learn(e) // stays on this machine
		return
	}
	if c.tell != nil {
		c.tell(e)
	}
	if e.Kind == probe.EventLevel && len(c.events) > backlog/2 {
		return
	}
	select {
	case c.events <- e:
	default:
	}
}

// Messages of the background tasks.
type (
	devicesMsg struct{ all []Microphone }
	eventMsg   struct {
		number int
		event  probe.Event
	}
	checkedMsg struct {
		number int
		report *report.Report
		shown  *report.Report // report with the device names of this machine; nil means report
		err    error
	}
	deliveredMsg struct {
		id    string
		state Delivery
	}
	tickMsg struct{ number int }
)

// desk runs the background tasks and waits for them at the end, so that no capture continues
// after the program has ended.
type desk struct {
	ctx     context.Context
	options Options

	turn   chan struct{} // contains a token while a check runs, because only one may use a microphone
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

func newDesk(ctx context.Context, o Options) *desk {
	return &desk{ctx: ctx, options: o, turn: make(chan struct{}, 1)}
}

// work returns a command for f that close waits for.
func (d *desk) work(f func() tea.Msg) tea.Cmd {
	return func() tea.Msg {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			return nil
		}
		d.group.Add(1)
		d.mu.Unlock()
		defer d.group.Done()
		return f()
	}
}

// close waits for the tasks, at most patience; it reports whether all ended.
func (d *desk) close(patience time.Duration) bool {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	done := make(chan struct{})
	go func() {
		d.group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(patience):
		return false
	}
}

// devices lists the microphones.
func (d *desk) devices() tea.Cmd {
	return d.work(func() tea.Msg { return devicesMsg{d.options.microphones(d.ctx)} })
}

// check starts a check.
func (d *desk) check(number int, choices Choices, tell func(probe.Event)) (*check, tea.Cmd) {
	ctx, cancel := context.WithCancel(d.ctx)
	c := &check{number: number, events: make(chan probe.Event, backlog), over: ctx.Done(), cancel: cancel, tone: newToneQuestion(), tell: tell}
	if choices.Speaker && !d.options.Agreed {
		choices.ToneHeard = c.tone.heard
	}
	return c, d.work(func() tea.Msg {
		defer cancel()
		d.turn <- struct{}{}
		defer func() { <-d.turn }()
		msg := checkedMsg{number: number}
		msg.err = guarded(d.options.Log, func() (err error) {
			msg.report, err = d.options.Check(ctx, choices, c.pass)
			msg.shown = c.names.in(msg.report)
			return err
		})
		return msg
	})
}

// next waits for the next event of the check.
func (c *check) next() tea.Msg {
	select {
	case e := <-c.events:
		return eventMsg{c.number, e}
	case <-c.over:
		return nil
	}
}

// deliver passes the report to Deliver, and then to finish.
func (d *desk) deliver(r *report.Report, finish func(*report.Report)) tea.Cmd {
	return d.work(func() tea.Msg {
		state := Delivery("")
		err := guarded(d.options.Log, func() error {
			state = d.options.Deliver(d.ctx, r)
			return nil
		})
		if err != nil {
			state = DeliveryFailed
		}
		finish(r)
		return deliveredMsg{r.ID, state}
	})
}

// tick causes a redraw that lets the meter fall.
func tick(number int) tea.Cmd {
	return tea.Tick(50*time.Millisecond, func(time.Time) tea.Msg { return tickMsg{number} })
}

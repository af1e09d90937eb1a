package tui

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// backlog is how many events of a check may wait to be shown.
const backlog = 512

// check is one running check. Its number tells its messages from those of a
// check before it.
type check struct {
	number int
	events chan probe.Event
	over   <-chan struct{}
	names  localNames
	tone   toneQuestion
	cancel context.CancelFunc
}

// pass hands an event to the screen and never blocks. Levels, of which there
// are many, give way to the others.
func (c *check) pass(e probe.Event) {
	if e.Kind == probe.EventDeviceNames {
		c.names.learn(e)
		return
	}
	if e.Kind == probe.EventLevel && len(c.events) > backlog/2 {
		return
	}
	select {
	case c.events <- e:
	default:
	}
}

// Messages of the tasks behind the screen.
type (
	devicesMsg struct{ all []Microphone }
	eventMsg   struct {
		number int
		event  probe.Event
	}
	checkedMsg struct {
		number int
		report *report.Report
		shown  *report.Report // report with the device names of this machine; nil stands for report
		err    error
	}
	deliveredMsg struct {
		id    string
		state Delivery
	}
	tickMsg struct{ number int }
)

// desk runs the tasks of the screen and waits for them in the end, so that no
// capture goes on after the program has said goodbye.
type desk struct {
	ctx     context.Context
	options Options

	turn   chan struct{} // holds one token: a microphone takes no two checks
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

func newDesk(ctx context.Context, o Options) *desk {
	return &desk{ctx: ctx, options: o, turn: make(chan struct{}, 1)}
}

// work makes a command of f that close waits for.
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

// close waits for the tasks, at most so long; it reports whether all ended.
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

// devices looks for microphones.
func (d *desk) devices() tea.Cmd {
	return d.work(func() tea.Msg { return devicesMsg{d.options.microphones(d.ctx)} })
}

// check starts a check.
func (d *desk) check(number int, choices Choices) (*check, tea.Cmd) {
	ctx, cancel := context.WithCancel(d.ctx)
	c := &check{number: number, events: make(chan probe.Event, backlog), over: ctx.Done(), cancel: cancel, tone: newToneQuestion()}
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

// deliver hands the report on.
func (d *desk) deliver(r *report.Report) tea.Cmd {
	return d.work(func() tea.Msg {
		state := Delivery("")
		err := guarded(d.options.Log, func() error {
			state = d.options.Deliver(d.ctx, r)
			return nil
		})
		if err != nil {
			state = DeliveryFailed
		}
		return deliveredMsg{r.ID, state}
	})
}

// tick wakes the screen to let the meter fall.
func tick(number int) tea.Cmd {
	return tea.Tick(50*time.Millisecond, func(time.Time) tea.Msg { return tickMsg{number} })
}

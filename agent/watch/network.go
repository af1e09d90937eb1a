package watch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// linkEvery is how often the link is read without an event, for the signal strength of
	// the Wi-Fi, and where the system reports no changes.
	linkEvery = 10 * time.Second
	// wiredEvery is the same for other links, whose changes the system reports.
	wiredEvery = time.Minute
)

// meteredEvery is how often the system is queried whether the line is metered, in addition to each
// change of the connection.
const meteredEvery = 5 * time.Minute

// network watches the connection of this computer.
type network struct {
	board   *Board
	clock   probe.Clock
	read    func(context.Context) linkstate.State
	off     func() bool
	metered func(context.Context) *bool
	watch   func(context.Context, chan<- struct{}) error
	last    linkstate.State
	known   bool
	asked   time.Time // time of the last call of metered
}

func newNetwork(b *Board, clock probe.Clock) *network {
	return &network{board: b, clock: clock, read: linkstate.Read, off: linkstate.SwitchedOff, metered: linkstate.Metered, watch: linkstate.Watch}
}

func (n *network) run(ctx context.Context, emit Emit) error {
	var watching atomic.Bool
	watch := func(ctx context.Context, changed chan<- struct{}) error {
		watching.Store(true)
		defer watching.Store(false)
		return n.watch(ctx, changed)
	}
	interval := func() time.Duration {
		if watching.Load() && n.last.Connected && n.last.Kind != "wifi" {
			return wiredEvery
		}
		return linkEvery
	}
	return follow(ctx, n.clock, interval, watch, func(ctx context.Context) { n.check(ctx, emit) })
}

func (n *network) check(ctx context.Context, emit Emit) {
	s := n.read(ctx)
	off := !s.Connected && n.off()
	n.board.update(func(v *View) { v.Linked, v.Link, v.WiFiOff = true, s, off })
	changed := n.known && !s.Same(n.last)
	if now := n.clock.Now(); changed || now.Sub(n.asked).Abs() >= meteredEvery {
		n.asked = now
		metered := n.metered(ctx)
		n.board.update(func(v *View) { v.Metered = metered })
	}
	if changed {
		e := happened(report.EventLinkChanged, n.clock.Now())
		e.Detail = changeOf(n.last, s, off)
		emit(e)
	}
	n.last, n.known = s, true
}

func changeOf(from, to linkstate.State, off bool) string {
	switch {
	case off:
		return "switched_off"
	case !to.Connected:
		return "down"
	case !from.Connected:
		return "up"
	}
	return "other"
}

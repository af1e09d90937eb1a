package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// RetestHandler answers the requests for retests: one at a time, and none without consent.
type RetestHandler struct {
	// Network performs a check without the microphone in this process; nil if that is left to
	// Screen.
	Network Runner
	// AllowsNetwork reports whether the participant has permitted checks without the
	// microphone in advance; nil means that they have not.
	AllowsNetwork func() bool
	// AllowNetwork stores that permission; nil if it cannot be stored.
	AllowNetwork func() error
	// Screen is nil if nobody can be asked.
	Screen Screen
	// Present reports whether somebody can be asked through Screen now. The channel is closed at
	// the next change. If Present is nil, somebody always can.
	Present func() (now bool, changed <-chan struct{})
	Log     *slog.Logger

	out *outbox

	mu      sync.Mutex
	current *answering
	seen    []string // ids of the last requests, the oldest first
	work    sync.WaitGroup
}

// answering is the retest in progress.
type answering struct {
	id        string
	cancel    context.CancelCauseFunc
	withdrawn bool
	ended     chan struct{} // closed at the end
}

// effect is the effect of a message.
type effect int

const (
	ignored  effect = iota
	repeated        // it belongs to a request that is known
	news
)

// maxSeen limits the remembered requests. A request is valid for a minute and a half, and each
// takes a person's time.
const maxSeen = 64

// errWithdrawn means that phone support has withdrawn the request.
var errWithdrawn = errors.New("withdrawn by phone support")

// handle processes a message of the collector and returns at once. now is the collector's time.
func (h *RetestHandler) handle(ctx context.Context, m wire.ChannelMessage, now time.Time) effect {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m.Type {
	case wire.MessageCancel:
		if h.current != nil && h.current.id == m.ID && !h.current.withdrawn {
			h.current.withdrawn = true
			h.current.cancel(errWithdrawn)
			return news
		}
		if slices.Contains(h.seen, m.ID) {
			return repeated
		}
	case wire.MessageRetest:
		return h.request(ctx, m, now)
	}
	return ignored
}

func (h *RetestHandler) request(ctx context.Context, m wire.ChannelMessage, now time.Time) effect {
	left := m.ExpiresAt.Sub(now)
	switch {
	case slices.Contains(h.seen, m.ID):
		return repeated // sent again after a reconnect, or replayed
	case left <= 0 || left > wire.MaxRetestTime:
		h.Log.Warn("a request for a retest is invalid at this time", "id", m.ID, "left_ms", left.Milliseconds())
		return ignored
	}
	h.seen = append(h.seen, m.ID)
	h.seen = h.seen[max(0, len(h.seen)-maxSeen):]
	switch {
	case m.What != wire.RetestFull && m.What != wire.RetestNetwork:
		h.refuse(m.ID, wire.WhyUnsupported)
		return news
	case h.current != nil && !h.current.withdrawn:
		h.refuse(m.ID, wire.WhyBusy)
		return news
	}
	ctx, cancel := context.WithCancelCause(ctx)
	before := h.current
	next := &answering{id: m.ID, cancel: cancel, ended: make(chan struct{})}
	h.current = next
	r := Retest{ID: m.ID, What: m.What, By: m.By, Ends: time.Now().Add(left)}
	h.work.Go(guard.Logged(h.Log, func() {
		defer close(next.ended)
		defer cancel(nil)
		defer func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.current == next {
				h.current = nil
			}
		}()
		if before != nil {
			<-before.ended // it was withdrawn, and its check ends soon
		}
		h.answer(ctx, r)
	}))
	return news
}

// known returns the id of the retest that is being answered, otherwise "".
func (h *RetestHandler) known() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil || h.current.withdrawn {
		return ""
	}
	return h.current.id
}

func (h *RetestHandler) refuse(id, why string) {
	h.Log.Info("retest refused", "id", id, "why", why)
	h.out.put(wire.ChannelMessage{Type: wire.MessageRefused, ID: id, Why: why})
}

func (h *RetestHandler) answer(ctx context.Context, r Retest) {
	run, err := h.consent(ctx, r)
	if err == nil && run != nil {
		h.out.put(wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(true)})
		var id string
		if id, err = guarded(ctx, run, h.eventSender(r)); err == nil {
			h.out.put(wire.ChannelMessage{Type: wire.MessageDone, ID: r.ID, ReportID: id})
			return
		}
	}
	switch {
	case errors.Is(context.Cause(ctx), errWithdrawn):
		h.Log.Info("retest withdrawn", "id", r.ID)
	case errors.Is(err, ErrEnded), ctx.Err() != nil:
		h.refuse(r.ID, wire.WhyEnded)
	case errors.Is(err, context.DeadlineExceeded):
		h.refuse(r.ID, wire.WhyNoAnswer)
	case errors.Is(err, ErrNoPerson):
		h.refuse(r.ID, wire.WhyNoPerson)
	case errors.Is(err, ErrBusy):
		h.refuse(r.ID, wire.WhyBusy)
	case err != nil:
		h.Log.Warn("retest failed", "id", r.ID, "err", err)
		h.refuse(r.ID, wire.WhyFailed)
	default:
		h.out.put(wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(false)})
	}
}

// present reports whether somebody can be asked now, and returns a channel that is closed when that
// changes.
func (h *RetestHandler) present() (now bool, changed <-chan struct{}) {
	switch {
	case h.Screen == nil:
		return false, nil
	case h.Present == nil:
		return true, nil
	}
	return h.Present()
}

// consent returns what to run; nil if the person declined. A check that was permitted in
// advance is shown to a person who is present, and otherwise runs in this process.
func (h *RetestHandler) consent(ctx context.Context, r Retest) (Runner, error) {
	r.Agreed = r.What == wire.RetestNetwork && h.AllowsNetwork != nil && h.AllowsNetwork()
	var run Runner
	err := ErrNoPerson
	if present, _ := h.present(); present {
		run, err = h.ask(ctx, r)
	}
	if errors.Is(err, ErrNoPerson) && r.Agreed && h.Network != nil {
		return h.Network, nil
	}
	return run, err
}

func (h *RetestHandler) ask(ctx context.Context, r Retest) (Runner, error) {
	ctx, cancel := context.WithDeadline(ctx, r.Ends)
	defer cancel()
	c, err := h.Screen.Ask(ctx, r)
	network := r.What == wire.RetestNetwork
	if err == nil && c.Given && c.Always && network && h.AllowNetwork != nil {
		if err := h.AllowNetwork(); err != nil {
			h.Log.Warn("the permission could not be stored", "err", err)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !c.Given:
		return nil, nil
	case c.Run != nil:
		return c.Run, nil
	case network && h.Network != nil:
		return h.Network, nil
	}
	return nil, errors.New("the screen cannot run a check")
}

func guarded(ctx context.Context, run Runner, tell func(probe.Event)) (id string, err error) {
	if panicked := guard.Do(func() { id, err = run(ctx, tell) }); panicked != nil {
		return "", fmt.Errorf("the check failed: %w", panicked)
	}
	return id, err
}

// eventSender returns a function that passes on the events of a check. It may be called concurrently.
func (h *RetestHandler) eventSender(r Retest) func(probe.Event) {
	var mu sync.Mutex
	var levelAt time.Time
	return func(e probe.Event) {
		m := wire.ChannelMessage{Type: wire.MessageProgress, ID: r.ID, Probe: e.Probe}
		switch {
		case e.Kind == probe.EventStarted:
			m.Status = wire.StatusRunning
		case e.Kind == probe.EventDone && e.Result != nil:
			m.Status = string(e.Result.Status)
		case e.Kind == probe.EventLevel && r.What == wire.RetestFull && e.Probe == report.ProbeAudioInput:
			mu.Lock()
			early := time.Since(levelAt) < wire.LevelEvery
			if !early {
				levelAt = time.Now()
			}
			mu.Unlock()
			if early {
				return
			}
			m = wire.ChannelMessage{Type: wire.MessageLevel, ID: r.ID, RMSDBFS: level(e.Level.RMSDBFS), PeakDBFS: level(e.Level.PeakDBFS), Speech: e.Level.Speech}
		default:
			return
		}
		h.out.put(m)
	}
}

// level rounds to 0.1 dB and to the range of a message.
func level(dbfs float64) *float64 {
	if math.IsNaN(dbfs) {
		dbfs = -120
	}
	return new(math.Round(min(max(dbfs, -120), 20)*10) / 10)
}

package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe/report"
)

// plan prepares a report. Events that follow while it waits become part of the same
// report, which is named after the one with the best rank. Once the report is stuck, a later event gets
// one of its own, because the samples around it may be gone before the first one is made.
func (r *Recorder) plan(e report.HostEvent, now time.Time) {
	r.events.markReported(e)
	stuck := r.pending != nil && r.allowed
	switch {
	case r.pending == nil:
		r.due, r.allowed = now.Add(afterwards), false
	case rank(e.Kind) < rank(r.pending.Kind):
	case stuck && (r.next == nil || rank(e.Kind) < rank(r.next.Kind)):
		r.next = &e
		r.keep(keptEvent{*r.pending, r.reportID, r.tried, r.next})
		return
	default:
		return
	}
	r.pending, r.reportID, r.tried = &e, "", false
	r.keep(keptEvent{HostEvent: e, Next: r.next})
}

// keep keeps the events of the reports for the next run.
func (r *Recorder) keep(e keptEvent) {
	if err := r.waiting.keep(e); err != nil {
		r.Log.Debug("a report would not survive the end of this run", "err", err)
	}
}

// resume continues the wait for the reports that were due when the previous run was killed.
func (r *Recorder) resume() {
	r.waiting = waitingIn(r.Data)
	e, err := r.waiting.read()
	if err != nil {
		r.Log.Warn("a report of the previous run is lost", "err", err)
		r.forget()
		return
	}
	if e == nil {
		return
	}
	now := r.Clock.Now()
	r.pending, r.due, r.reportID, r.tried, r.next = &e.HostEvent, now.Add(settleEvidence), e.ReportID, e.Tried, e.Next
	r.events.markReported(e.HostEvent)
	if e.Next != nil {
		r.events.markReported(*e.Next)
	}
	if now.Sub(e.At).Abs() > fresh {
		r.finish(now)
	}
}

// finish ends the wait for the report that was due, which was made or given up. That of the event that
// occurred while it was stuck is due then.
func (r *Recorder) finish(now time.Time) {
	next := r.next
	r.pending, r.reportID, r.tried, r.allowed, r.next = nil, "", false, false, nil
	if next == nil || now.Sub(next.At).Abs() > fresh {
		r.forget()
		return
	}
	r.pending, r.due = next, next.At.Add(afterwards)
	r.keep(keptEvent{HostEvent: *next})
}

// sendPending makes the report that is due. If that fails, for example because the disk is full, it is made
// later. If it ends this run, the next run tries once more.
func (r *Recorder) sendPending(ctx context.Context) {
	now := r.Clock.Now()
	if r.pending == nil || now.Before(r.due) && r.due.Sub(now) <= afterwards {
		return
	}
	e := *r.pending
	if r.events.isSwitchedOff(e) {
		r.Log.Info("a person switched the Wi-Fi off: no report of its loss")
		r.finish(now)
		return
	}
	if !r.allowed && !r.limit.allow(now) {
		r.Log.Info("too many events: no report of this one", "kind", e.Kind, "suppressed", r.limit.suppressed)
		r.finish(now)
		return
	}
	r.allowed = true
	if r.reportID == "" {
		id, err := r.NewID(now)
		if err != nil {
			r.Log.Warn("no id for the report of an event", "err", err)
		}
		r.reportID = id
	}
	switch {
	case !r.tried:
		r.keep(keptEvent{e, r.reportID, true, r.next})
	case r.next != nil:
		r.keep(keptEvent{HostEvent: *r.next})
	default:
		r.forget()
	}
	i := Incident{ReportID: r.reportID, Event: e, Crash: r.events.since(now.Add(-fresh), now), History: History(lastMinutes(r.recent), e, r.limit.suppressed)}
	if err := r.Send(ctx, i); err != nil {
		if ctx.Err() != nil {
			return
		}
		r.Log.Warn("no report of an event", "err", err)
		if r.due = now.Add(afterwards); r.due.Sub(e.At).Abs() > fresh {
			r.finish(now)
		}
		return
	}
	r.finish(now)
	r.limit.suppressed = 0
}

// forget removes the event on disk.
func (r *Recorder) forget() {
	if err := r.waiting.remove(); err != nil {
		r.Log.Warn("the next run will make this report again", "err", err)
	}
}

// sendAtEnd makes the reports that wait, with what is known so far: after a crash, people restart their
// computer.
func (r *Recorder) sendAtEnd(ctx context.Context) {
	if r.pending == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	var tried *report.HostEvent
	for r.pending != nil && r.pending != tried { // then that of the event while it was stuck
		tried, r.due = r.pending, r.Clock.Now()
		r.sendPending(ctx)
	}
}

// waiting is a file with the event whose report is due later, so that the next run makes the
// report if this one is killed. It is not flushed to the disk: if the computer itself stops, the
// next run reports that, together with the events before it.
type waiting struct{ path string }

// keptEvent is the content of the file.
type keptEvent struct {
	report.HostEvent
	// ReportID is the id of the report, with which an earlier run may have stored it; "" before the first
	// attempt.
	ReportID string `json:"report_id,omitempty"`
	// Tried means that an earlier run began to make the report. It may have failed because of a panic,
	// which would happen again.
	Tried bool `json:"tried,omitempty"`
	// Next is the event of the report after this one, which was stuck; nil if there is none.
	Next *report.HostEvent `json:"next,omitempty"`
}

// newSuffix is added to the name of a file that is not yet complete.
const newSuffix = ".new"

func waitingIn(data string) waiting { return waiting{filepath.Join(data, Folder, "waiting")} }

// keep replaces the file. A kill leaves either the former or the new one.
func (w waiting) keep(e keptEvent) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("keep the event of a report: %w", err)
	}
	f, err := durable.OpenFile(w.path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("keep the event of a report: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = durable.Rename(f.Name(), w.path)
	}
	if err != nil {
		return fmt.Errorf("keep the event of a report: %w", err)
	}
	return nil
}

// read returns the event that a previous run kept; nil if there is none.
func (w waiting) read() (*keptEvent, error) {
	f, err := durable.OpenFile(w.path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the event of a report: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, int64(4*eventLayout.slotBytes)))
	if err != nil {
		return nil, fmt.Errorf("read the event of a report: %w", err)
	}
	var kept keptEvent
	if err := json.Unmarshal(b, &kept); err != nil {
		return nil, fmt.Errorf("read the event of a report: %w", err)
	}
	if !kept.Valid() || kept.Next != nil && !kept.Next.Valid() || kept.ReportID != "" && uuid.Validate(kept.ReportID) != nil {
		return nil, errors.New("read the event of a report: it has the wrong form")
	}
	return &kept, nil
}

func (w waiting) remove() error {
	if err := durable.Remove(w.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the event of a report: %w", err)
	}
	return nil
}

package resident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ErrNotEnrolled means that the agent has no collector yet.
var ErrNotEnrolled = errors.New("this computer is not enrolled")

// Session is the agent's identity and collector during one round.
type Session struct {
	AgentID   string
	Collector *collector.Endpoint
}

// Work is the main task of the service: it checks according to the schedule, stores the
// reports and sends them.
type Work struct {
	Schedule Schedule
	// Session is called in every round, so that an enrolment takes effect without a
	// restart. ErrNotEnrolled is temporary; any other error is fatal.
	Session func() (Session, error)
	Check   func(context.Context, Session, Check) (*report.Report, error)
	Store   func(context.Context, *report.Report) error
	// Send delivers the waiting reports to the collector.
	Send func(context.Context, Session) (uplink.Summary, error)
	Log  *slog.Logger
}

// Run works until ctx is done or a round fails fatally.
func (w Work) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.Log.Info("started", "interval", w.Schedule.Interval)
	w.Schedule.Run(ctx, func(ctx context.Context, a Check) bool {
		checked, err := w.round(ctx, a)
		if err != nil {
			cancel(err)
		}
		return checked
	})
	return context.Cause(ctx)
}

// round performs one check, and reports whether it was made. It returns only errors
// that later rounds cannot overcome. Others are logged, and the reports wait.
func (w Work) round(ctx context.Context, a Check) (checked bool, err error) {
	s, err := w.Session()
	if errors.Is(err, ErrNotEnrolled) {
		w.Log.Warn("not enrolled yet: run tonprobe enroll")
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("begin a check: %w", err)
	}
	checked, err = w.checkAndStore(ctx, s, a)
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		w.Log.Error("no report of this check", "err", err)
	}
	w.send(ctx, s)
	return checked, nil
}

// checkAndStore reports whether the check was made. A check whose report cannot be stored counts as
// made, because it has used the line: it must not be repeated because of a full disk.
func (w Work) checkAndStore(ctx context.Context, s Session, a Check) (made bool, err error) {
	r, err := w.Check(ctx, s, a)
	if err != nil {
		return false, err
	}
	w.Log.Info("checked", "kind", a.Kind, "case", r.Case, "verdict", r.Verdict, "duration_ms", r.DurationMS)
	return true, w.Store(ctx, r)
}

// sendTime limits the sending after a check, because it delays the next check. Another loop of the
// service sends the reports that remain.
const sendTime = 2 * time.Minute

func (w Work) send(ctx context.Context, s Session) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	sum, err := w.Send(ctx, s)
	if len(sum.Delivered)+len(sum.Quarantined) > 0 {
		w.Log.Info("sent", "delivered", len(sum.Delivered), "set_aside", len(sum.Quarantined))
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		w.Log.Warn("reports not sent yet", "err", err)
	}
}

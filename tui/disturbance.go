package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/tui/page"
)

// Errors of Options.ReportDisturbance. With any other error, it is not known whether the report was
// recorded.
var (
	// ErrNoSession means that no session of the participant is in progress.
	ErrNoSession = errors.New("no session is in progress")
	// ErrRecordClosed means that the record of the session is complete.
	ErrRecordClosed = errors.New("the record of the session is complete")
	// ErrNotReported means that nothing was recorded.
	ErrNotReported = errors.New("the report did not arrive")
)

// disturbanceMsg is the result of a report.
type disturbanceMsg struct{ result page.Disturbance }

// offersDisturbance reports whether a session is in progress in which a disturbance can be reported.
func (o Options) offersDisturbance() bool {
	return o.ReportDisturbance != nil && o.InSession != nil && o.InSession(o.Now())
}

// offer returns the disturbance part of a page: the result of the last report, or the offer to
// make one if nothing was reported yet.
func (m model) offer() page.Disturbance {
	if m.disturbance.State == "" && m.desk.options.offersDisturbance() {
		return page.Disturbance{State: page.DisturbanceOffered}
	}
	return m.disturbance
}

// reportDisturbance sends a report.
func (m model) reportDisturbance() (model, tea.Cmd) {
	m.disturbance = page.Disturbance{State: page.DisturbanceSending}
	return m, m.desk.work(func() tea.Msg { return disturbanceMsg{m.desk.options.disturbance(m.desk.ctx)} })
}

// disturbance sends a report and returns its result.
func (o Options) disturbance(ctx context.Context) page.Disturbance {
	var at time.Time
	err := guarded(o.Log, func() (err error) {
		at, err = o.ReportDisturbance(ctx)
		return err
	})
	d := page.Disturbance{State: page.DisturbanceRecorded, At: at, Phone: o.phone()}
	switch {
	case errors.Is(err, ErrNoSession):
		d.State = page.DisturbanceNoSession
	case errors.Is(err, ErrRecordClosed):
		d.State = page.DisturbanceClosed
	case errors.Is(err, ErrNotReported):
		o.Log.Warn("report a disturbance", "err", err)
		d.State = page.DisturbanceFailed
	case err != nil:
		o.Log.Warn("report a disturbance", "err", err)
		d.State = page.DisturbanceUnsure
	}
	return d
}

package station

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Records reads the entries of the flight recorder: of the machine's service, whose
// folder other accounts cannot read, or, without a service, of the data folder.
type Records struct {
	service *local.Client // nil without one
	data    string
}

// OpenRecords returns the records for a program that a person started.
func OpenRecords(c config.Config) Records {
	r := Records{data: c.Data}
	if c.Socket != "" {
		r.service = local.NewClient(c.Socket)
	}
	return r
}

// Events returns the events since a time, oldest first. Without any recorder the error is
// fs.ErrNotExist, and fs.ErrPermission if the service does not serve this account. A
// *recorder.DamagedError comes with the readable events.
func (r Records) Events(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
	if r.service == nil {
		return recorder.Events(r.data, since)
	}
	got, refused := r.service.Events(ctx, since)
	switch {
	case refused == nil && got.Damaged > 0:
		return got.Events, &recorder.DamagedError{File: "events", Slots: got.Damaged}
	case refused == nil:
		return got.Events, nil
	}
	own, err := recorder.Events(r.data, since)
	switch {
	case !errors.Is(err, fs.ErrNotExist), errors.Is(refused, local.ErrNoRecords):
		return own, err
	case errors.Is(refused, local.ErrNotAdmitted):
		return nil, fmt.Errorf("%w: %w", fs.ErrPermission, refused)
	}
	// A service that does not answer may have recorded something. If there is no socket,
	// the error is fs.ErrNotExist.
	return nil, refused
}

// history returns the last minutes of the flight recorder, up to the last one that was
// written; nil if there are none.
func (r Records) history(ctx context.Context, at time.Time) *report.HostHistory {
	if r.service != nil {
		if h, err := r.service.History(ctx, at); err == nil {
			return h
		}
	}
	return historyIn(r.data, at)
}

// historyIn is Records.history for a data folder.
func historyIn(data string, at time.Time) *report.HostHistory {
	samples, _ := recorder.Samples(data) // damaged samples are left out
	if len(samples) == 0 || at.Sub(samples[len(samples)-1].At).Abs() > oldHistory {
		return nil
	}
	return recorder.History(samples, report.HostEvent{At: at, Kind: report.EventSupportAsked}, 0)
}

// oldHistory is the age of the last sample above which no recorder is running.
const oldHistory = 5 * time.Minute

// Events implements local.Agent.
func (a *LocalAgent) Events(since time.Time) (local.Recorded, error) {
	events, err := recorder.Events(a.Config.Data, since)
	got := local.Recorded{Events: events}
	if damaged, ok := errors.AsType[*recorder.DamagedError](err); ok {
		got.Damaged, err = damaged.Slots, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return got, local.ErrNoRecords
	}
	return got, err
}

// History implements local.Agent.
func (a *LocalAgent) History(at time.Time) (*report.HostHistory, error) {
	h := historyIn(a.Config.Data, at)
	if h == nil {
		return nil, local.ErrNoRecords
	}
	return h, nil
}

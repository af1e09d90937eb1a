// Package uplink delivers the reports of a spool to the collector: at least once on the
// wire, exactly once in effect, because the collector stores one report per id.
package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Errors of Drain. Reports that were not delivered remain in the spool.
var (
	// ErrEnrolAgain means that the collector no longer knows this agent.
	ErrEnrolAgain = errors.New("the collector no longer accepts this agent, enrol again")
	// ErrBlocked means that support has blocked the participant.
	ErrBlocked = errors.New("the collector has blocked this participant, ask phone support")
	// ErrErased means that the collector has erased everything about this participant. The reports
	// that waited are set aside.
	ErrErased = errors.New("the collector has erased everything about this participant, and accepts no reports")
	// ErrUntrusted means that the collector's certificate is not trusted.
	ErrUntrusted = errors.New("the collector's certificate is not trusted")
	// ErrRefused means that the collector does not accept this report.
	ErrRefused = errors.New("the collector refused the report")
	// ErrNotReached means that the time expired before the collector accepted everything.
	ErrNotReached = errors.New("the collector could not be reached")
)

// Limits of one request; the collector accepts up to 100 reports.
const (
	maxBatchReports = 50
	maxBatchBytes   = 1 << 20
)

// Uplink sends the waiting reports of a spool.
type Uplink struct {
	Collector *collector.Endpoint
	Client    *http.Client // nil means the one of the endpoint
	Spool     *spool.Spool
	// AgentID is the owner of the token. Reports created under another id would always
	// be refused.
	AgentID string
	Clock   probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
	Log    *slog.Logger
}

// Summary is the result of Drain.
type Summary struct {
	Delivered   []string // ids that the collector has now
	Quarantined []string // ids that it refused, or that could not be read
}

// Drain sends until no report waits, the collector refuses the agent, or ctx is done.
// It holds the sender's lock during one round of requests, but not while it waits for the
// next, so that another process can send meanwhile.
func (u *Uplink) Drain(ctx context.Context) (Summary, error) {
	var sum Summary
	for failures := 0; ; failures++ {
		delivered := len(sum.Delivered)
		err := u.round(ctx, &sum)
		if err == nil || final(err) {
			return sum, err
		}
		if len(sum.Delivered) > delivered {
			failures = 0
		}
		u.Log.Info("reports not sent yet", "err", err)
		if u.Clock.Sleep(ctx, collector.Backoff(failures, u.Random(), retryAfter(err))) != nil {
			return sum, fmt.Errorf("%w: %w", ErrNotReached, err)
		}
	}
}

func (u *Uplink) round(ctx context.Context, sum *Summary) error {
	done, err := u.Spool.Sender(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	defer done()
	r := u.newRound(sum)
	defer r.remember(ctx)
	return r.run(ctx)
}

// Deliver makes one attempt to send the waiting report id, before all others and
// without the sender's lock. The collector stores one report per id, so a report that two
// processes send at the same time is stored once. It returns nil if the collector has the
// report, and ErrRefused if it will never accept it.
func (u *Uplink) Deliver(ctx context.Context, id string) error {
	waiting, err := u.Spool.List(spool.Waiting)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(waiting, func(e spool.Entry) bool { return e.ID == id })
	if i < 0 {
		return u.filed(id)
	}
	var sum Summary
	r := u.newRound(&sum)
	r.single = true
	defer r.remember(ctx)
	p, ok, err := r.parcel(ctx, waiting[i])
	if err == nil && ok {
		err = r.deliver(ctx, []parcel{p})
	}
	switch {
	case len(sum.Delivered) > 0:
		return nil
	case errors.Is(err, ErrErased):
		return err
	case len(sum.Quarantined) > 0:
		return ErrRefused
	case err != nil:
		return err
	}
	return r.fault
}

// filed returns what another process has done with a report.
func (u *Uplink) filed(id string) error {
	sent, err := u.Spool.List(spool.Sent)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(sent, func(e spool.Entry) bool { return e.ID == id }) {
		return nil
	}
	return ErrRefused
}

// Send makes one attempt to send a report that could not be stored on disk.
func (u *Uplink) Send(ctx context.Context, id string, doc []byte) error {
	results, err := u.post(ctx, []parcel{{spool.Entry{ID: id}, doc}})
	if api, ok := errors.AsType[*collector.APIError](err); ok && blames(err) == oneReport {
		return fmt.Errorf("%w: %w", ErrRefused, api)
	}
	if err != nil {
		return err
	}
	switch r := results[id]; r.Status {
	case "stored", "duplicate":
		return nil
	case "rejected":
		return fmt.Errorf("%w: %s", ErrRefused, report.CleanText(r.Error))
	}
	return errIncomplete
}

func final(err error) bool {
	return errors.Is(err, ErrEnrolAgain) || errors.Is(err, ErrBlocked) || errors.Is(err, ErrErased) ||
		errors.Is(err, ErrUntrusted) || errors.Is(err, errSpool)
}

// errSpool means that the spool itself failed; waiting does not help.
var errSpool = errors.New("spool")

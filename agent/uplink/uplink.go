// Package uplink brings the reports of a spool to the collector: at least once
// on the wire, exactly once in effect, since the collector keeps one report per
// id.
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

// Errors of Drain. Whatever was not delivered waits in the spool.
var (
	// ErrEnrolAgain says that the collector no longer knows this agent.
	ErrEnrolAgain = errors.New("the collector does not accept this agent any more, enrol again")
	// ErrBlocked says that support has blocked the participant.
	ErrBlocked = errors.New("the collector has blocked this participant, ask your support")
	// ErrUntrusted says that the collector's certificate is not trusted.
	ErrUntrusted = errors.New("the collector's certificate is not trusted")
	// ErrNotReached says that time ran out before the collector took everything.
	ErrNotReached = errors.New("the collector could not be reached")
)

// The size of one request; the collector takes up to 100 reports.
const (
	maxBatchReports = 50
	maxBatchBytes   = 1 << 20
)

// Uplink sends what waits in a spool.
type Uplink struct {
	Collector *collector.Endpoint
	Client    *http.Client // nil means the collector's
	Spool     *spool.Spool
	// AgentID is who the token belongs to; reports made under another id would
	// be refused for ever.
	AgentID string
	Clock   probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
	Log    *slog.Logger
}

// Summary is what Drain did.
type Summary struct {
	Delivered   []string // ids the collector has now
	Quarantined []string // ids it refused, or that could not be read
}

// Drain sends until nothing waits, the collector refuses the agent, or ctx is
// done. One refused report does not hold up the others.
func (u *Uplink) Drain(ctx context.Context) (Summary, error) {
	var sum Summary
	done, err := u.Spool.Sender(ctx)
	if err != nil {
		return sum, err
	}
	defer done()
	for failures := 0; ; {
		batch, err := u.nextBatch(ctx, &sum)
		if err != nil || len(batch) == 0 {
			return sum, err
		}
		err = u.deliver(ctx, batch, &sum)
		if err == nil {
			failures = 0
			continue
		}
		if final(err) {
			return sum, err
		}
		u.Log.Info("reports wait", "count", len(batch), "err", err)
		if u.Clock.Sleep(ctx, backoff(failures, u.Random(), retryAfter(err))) != nil {
			return sum, fmt.Errorf("%w: %w", ErrNotReached, err)
		}
		failures++
	}
}

func final(err error) bool {
	return errors.Is(err, ErrEnrolAgain) || errors.Is(err, ErrBlocked) ||
		errors.Is(err, ErrUntrusted) || errors.Is(err, errSpool)
}

// errSpool says that the spool itself failed; waiting does not help.
var errSpool = errors.New("spool")

// parcel is one report with its place in the spool.
type parcel struct {
	entry spool.Entry
	doc   []byte
}

// nextBatch reads the oldest reports. One that cannot be sent goes to quarantine.
func (u *Uplink) nextBatch(ctx context.Context, sum *Summary) ([]parcel, error) {
	waiting, err := u.Spool.List(spool.Waiting)
	if err != nil {
		return nil, err
	}
	var batch []parcel
	size := 0
	for _, e := range waiting {
		doc, fault, err := u.read(e)
		if err != nil {
			return nil, err
		}
		if fault != "" {
			if err := u.quarantine(ctx, e, fault, sum); err != nil {
				return nil, err
			}
			continue
		}
		if size += len(doc); len(batch) > 0 && size > maxBatchBytes {
			break
		}
		if batch = append(batch, parcel{e, doc}); len(batch) == maxBatchReports {
			break
		}
	}
	return batch, nil
}

// read returns the document, or why it can never be sent.
func (u *Uplink) read(e spool.Entry) (doc []byte, fault string, err error) {
	doc, err = u.Spool.Read(e)
	if _, ok := errors.AsType[*spool.CorruptError](err); ok {
		return nil, "damaged on disk", nil
	}
	if err != nil {
		return nil, "", err
	}
	r, err := report.Decode(doc)
	switch {
	case err != nil:
		return nil, "not a valid report: " + report.ErrorText(err), nil
	case r.ID != e.ID:
		return nil, "its name and its id differ", nil
	case r.Agent.ID != u.AgentID:
		return nil, "made under another agent id", nil
	}
	return doc, "", nil
}

func (u *Uplink) quarantine(ctx context.Context, e spool.Entry, why string, sum *Summary) error {
	u.Log.Warn("report set aside", "id", e.ID, "why", why)
	if err := u.Spool.Quarantine(ctx, e, why); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	sum.Quarantined = append(sum.Quarantined, e.ID)
	return nil
}

// deliver sends one batch and files each report by the collector's answer. A
// batch that is refused as a whole is sent again report by report, to find the
// one it is about.
func (u *Uplink) deliver(ctx context.Context, batch []parcel, sum *Summary) error {
	results, err := u.post(ctx, batch)
	if api, ok := errors.AsType[*collector.APIError](err); ok && refusesContent(api) {
		if len(batch) == 1 {
			return u.quarantine(ctx, batch[0].entry, refusalText(api), sum)
		}
		for p := range slices.Chunk(batch, 1) {
			if err := u.deliver(ctx, p, sum); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	return u.file(ctx, batch, results, sum)
}

// file moves each report to where the collector's answer puts it.
func (u *Uplink) file(ctx context.Context, batch []parcel, results map[string]result, sum *Summary) error {
	missing := 0
	for _, p := range batch {
		switch r := results[p.entry.ID]; r.Status {
		case "stored", "duplicate":
			if err := u.Spool.MarkSent(ctx, p.entry); err != nil {
				return fmt.Errorf("%w: %w", errSpool, err)
			}
			sum.Delivered = append(sum.Delivered, p.entry.ID)
		case "rejected":
			if err := u.quarantine(ctx, p.entry, "refused: "+report.CleanText(r.Error), sum); err != nil {
				return err
			}
		default:
			missing++
		}
	}
	if missing > 0 {
		return fmt.Errorf("the collector's answer leaves out %d of %d reports", missing, len(batch))
	}
	return nil
}

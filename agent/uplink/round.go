package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// strikesAllowed is how often the collector may fail on a report sent alone, while
	// it accepts others, before the report is set aside.
	strikesAllowed = 3
	// failuresInARow is the number of consecutive failures of reports sent alone from
	// which the collector as a whole is considered faulty.
	failuresInARow = 3
	// fileTime limits moving a report according to the response, which also happens after
	// the time for requests has expired.
	fileTime = 2 * time.Second
)

// round sends what waits, once. Reports without strikes are sent first, in batches,
// oldest first; those with strikes follow one by one. A batch that fails is split until
// the report that causes the failure is found.
type round struct {
	*Uplink
	sum   *Summary
	tries spool.Tries
	blank bool // no record existed when the round began
	// single is one short attempt while a person waits: its timeout says nothing about
	// the report.
	single bool

	tried map[string]bool // failed alone in this round
	row   int             // consecutive failures
	fault error           // the last failure
}

// parcel is a report and its spool entry.
type parcel struct {
	entry spool.Entry
	doc   []byte
}

func (u *Uplink) newRound(sum *Summary) *round {
	tries, err := u.Spool.Tries()
	if err != nil {
		u.Log.Warn("the record of failed reports cannot be read", "err", err)
	}
	return &round{Uplink: u, sum: sum, tries: tries, blank: tries.Blank(), tried: map[string]bool{}}
}

// remember stores the record of the round. If the disk is full, the next round
// finds the same again.
func (r *round) remember(ctx context.Context) {
	if r.blank && r.tries.Blank() {
		return
	}
	if r.tries.Blank() {
		r.tries.Accepted = 0
	}
	ctx, cancel := filing(ctx)
	defer cancel()
	if err := r.Spool.SaveTries(ctx, r.tries); err != nil {
		r.Log.Warn("the record of failed reports cannot be stored", "err", err)
	}
}

func filing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), fileTime)
}

// run returns nil when no report waits any more.
func (r *round) run(ctx context.Context) error {
	for {
		batch, err := r.next(ctx)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return r.fault
		}
		if err := r.deliver(ctx, batch); err != nil {
			return err
		}
	}
}

// next reads the reports to send. A report that can never be sent is moved to quarantine.
func (r *round) next(ctx context.Context) ([]parcel, error) {
	waiting, err := r.Spool.List(spool.Waiting)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSpool, err)
	}
	waiting = slices.DeleteFunc(waiting, func(e spool.Entry) bool { return r.tried[e.ID] })
	slices.SortFunc(waiting, func(a, b spool.Entry) int {
		return cmp.Or(cmp.Compare(r.strikes(a), r.strikes(b)), strings.Compare(a.ID, b.ID))
	})
	var batch []parcel
	size := 0
	for _, e := range waiting {
		if len(batch) > 0 && r.strikes(e) > 0 {
			break
		}
		p, ok, err := r.parcel(ctx, e)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if size += len(p.doc); len(batch) > 0 && size > maxBatchBytes {
			break
		}
		batch = append(batch, p)
		if len(batch) == r.batchLimit() || r.strikes(e) > 0 {
			break
		}
	}
	return batch, nil
}

func (r *round) strikes(e spool.Entry) int { return r.tries.Reports[e.ID].Strikes }

func (r *round) batchLimit() int {
	if r.tries.BatchLimit > 0 {
		return min(r.tries.BatchLimit, maxBatchReports)
	}
	return maxBatchReports
}

// parcel reads a report, or moves it to quarantine if it can never be sent.
func (r *round) parcel(ctx context.Context, e spool.Entry) (p parcel, ok bool, err error) {
	doc, fault, err := r.read(e)
	if err != nil {
		return parcel{}, false, fmt.Errorf("%w: %w", errSpool, err)
	}
	if fault != "" {
		return parcel{}, false, r.setAside(ctx, e, fault)
	}
	return parcel{e, doc}, true, nil
}

// read returns the document, or the reason why it can never be sent.
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

func (r *round) setAside(ctx context.Context, e spool.Entry, why string) error {
	r.Log.Warn("report set aside", "id", e.ID, "why", why)
	ctx, cancel := filing(ctx)
	defer cancel()
	if err := r.Spool.Quarantine(ctx, e, why); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	delete(r.tries.Reports, e.ID)
	r.sum.Quarantined = append(r.sum.Quarantined, e.ID)
	return nil
}

// deliver sends one batch. An error ends the round.
func (r *round) deliver(ctx context.Context, batch []parcel) error {
	results, err := r.post(ctx, batch)
	if err == nil {
		return r.file(ctx, batch, results)
	}
	if errors.Is(err, ErrErased) {
		return cmp.Or(r.setAllAside(ctx), err)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return err // the program is stopping; this says nothing about the reports
	}
	switch blames(err) {
	case oneReport:
		if len(batch) > 1 {
			return r.halves(ctx, batch)
		}
		api, _ := errors.AsType[*collector.APIError](err)
		return r.setAside(ctx, batch[0].entry, refusalText(api))
	case faultyReport:
		if len(batch) > 1 {
			return r.halves(ctx, batch)
		}
		return r.strike(ctx, batch[0].entry, err)
	case someReport:
		if r.single {
			return err
		}
		// Every further attempt may take until its timeout, so the batch is split over
		// the following rounds.
		if len(batch) > 1 {
			r.tries.BatchLimit = len(batch) / 2
			return err
		}
		return cmp.Or(r.strike(ctx, batch[0].entry, err), err)
	}
	return err
}

// setAllAside sets everything aside that waits, because no token of this agent will be accepted again.
func (r *round) setAllAside(ctx context.Context) error {
	waiting, err := r.Spool.List(spool.Waiting)
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	for _, e := range waiting {
		if err := r.setAside(ctx, e, "the collector has erased everything about this participant"); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) halves(ctx context.Context, batch []parcel) error {
	half := len(batch) / 2
	if err := r.deliver(ctx, batch[:half]); err != nil {
		return err
	}
	return r.deliver(ctx, batch[half:])
}

// strike counts a failure of a report that was sent alone. The round continues with
// the others unless several fail in a row.
func (r *round) strike(ctx context.Context, e spool.Entry, fault error) error {
	r.tried[e.ID], r.fault = true, fault
	if r.tries.Strike(e.ID) >= strikesAllowed {
		return r.setAside(ctx, e, fmt.Sprintf("the collector failed on it %d times and took others: %s", strikesAllowed, report.ErrorText(fault)))
	}
	if r.row++; r.row >= failuresInARow {
		return fault
	}
	return nil
}

// file moves each report according to the collector's response.
func (r *round) file(ctx context.Context, batch []parcel, results map[string]result) error {
	missing := 0
	for _, p := range batch {
		switch a := results[p.entry.ID]; a.Status {
		case "stored", "duplicate":
			if err := r.accepted(ctx, p.entry); err != nil {
				return err
			}
		case "rejected":
			if err := r.setAside(ctx, p.entry, "refused: "+report.CleanText(a.Error)); err != nil {
				return err
			}
		default:
			missing++
		}
	}
	if missing == 0 {
		if r.single { // says nothing about batches
			return nil
		}
		if r.tries.BatchLimit *= 2; r.tries.BatchLimit >= maxBatchReports {
			r.tries.BatchLimit = 0
		}
		return nil
	}
	err := fmt.Errorf("%w: %d of %d", errIncomplete, missing, len(batch))
	for _, p := range batch {
		switch results[p.entry.ID].Status {
		case "stored", "duplicate", "rejected":
			continue
		}
		if err := r.strike(ctx, p.entry, err); err != nil {
			return err
		}
	}
	return err
}

func (r *round) accepted(ctx context.Context, e spool.Entry) error {
	r.tries.Accept(e.ID)
	r.row = 0
	r.sum.Delivered = append(r.sum.Delivered, e.ID)
	ctx, cancel := filing(ctx)
	defer cancel()
	if err := r.Spool.MarkSent(ctx, e); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	return nil
}

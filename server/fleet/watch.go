package fleet

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

const (
	// updateEvery is the interval at which new reports are read.
	updateEvery = 5 * time.Second
	// history is how long observations are stored.
	history = 6 * time.Hour
	// overlap is the period that is read again each time, because a transaction can be
	// committed after another one with reports that were received later.
	overlap = 10 * time.Second
	// Limits of the reports read at a time and of the observations stored. Beyond them,
	// the newest ones are used.
	maxRead, maxKept = 5000, 20_000
)

// Reports are the stored reports.
type Reports interface {
	ReceivedReports(ctx context.Context, since time.Time, limit int, each func(store.StoredReport)) error
}

// Watch keeps the list of current common causes up to date. All collectors that share a
// database compute it from the same reports.
type Watch struct {
	Reports   Reports
	Providers *Providers // nil if there is no table
	Now       func() time.Time
	Log       *slog.Logger
	// Changed is called after the findings have changed.
	Changed func()

	mu       sync.Mutex
	findings []Finding

	// The following are used by Update only.
	newest time.Time // receipt of the newest report read
	kept   []kept    // in the order of the checks
	known  map[string]bool
}

type kept struct {
	Observation
	id string
}

// Run updates the findings until ctx is done.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(updateEvery)
	defer tick.Stop()
	for {
		if err := w.Update(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("common causes could not be determined", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Findings returns the current common causes, the one with the most affected participants
// first.
func (w *Watch) Findings() []Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.findings)
}

// Update reads new reports and looks for common causes. It must not be called
// concurrently.
func (w *Watch) Update(ctx context.Context) error {
	now := w.Now()
	since := now.Add(-history)
	limit := maxKept
	if w.newest.After(since) {
		since, limit = w.newest.Add(-overlap), maxRead
	}
	if w.known == nil {
		w.known = map[string]bool{}
	}
	if err := w.Reports.ReceivedReports(ctx, since, limit, w.add); err != nil {
		return err
	}
	slices.SortStableFunc(w.kept, func(a, b kept) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.id, b.id)) })
	w.forget(now.Add(-history))
	all := make([]Observation, len(w.kept))
	for i, k := range w.kept {
		all[i] = k.Observation
	}
	w.show(Find(now, all, w.base(now)))
	return nil
}

func (w *Watch) add(r store.StoredReport) {
	if w.known[r.ID] {
		return
	}
	w.known[r.ID] = true
	if r.ReceivedAt.After(w.newest) {
		w.newest = r.ReceivedAt
	}
	o, err := FromDocument(r.ParticipantID, r.CheckedAt, r.Document, w.Providers)
	if err != nil {
		w.Log.Warn("a report is not used to determine common causes", "report", r.ID, "err", err)
		return
	}
	w.kept = append(w.kept, kept{o, r.ID})
}

// forget removes observations from before a time, and the oldest ones above the limit.
// Their ids are kept as long as the reports may be read again.
func (w *Watch) forget(before time.Time) {
	i := max(0, len(w.kept)-maxKept)
	for i < len(w.kept) && w.kept[i].At.Before(before) {
		i++
	}
	w.kept = slices.Delete(w.kept, 0, i)
	if len(w.known) > 2*maxKept {
		w.known = map[string]bool{}
		for _, k := range w.kept {
			w.known[k.id] = true
		}
	}
}

// base counts the earlier checks, without those that a common cause disturbed.
func (w *Watch) base(now time.Time) Base {
	b := Base{Disturbed: map[Faults]int{}}
	for _, k := range w.kept {
		if k.At.After(now.Add(-Longest)) || k.Explained != 0 {
			continue
		}
		b.Checks++
		for f := Conference; f <= Program; f <<= 1 {
			if k.Found&f != 0 {
				b.Disturbed[f]++
			}
		}
	}
	return b
}

func (w *Watch) show(findings []Finding) {
	for _, f := range findings {
		for i, p := range f.Affected {
			for k := range w.kept {
				if o := &w.kept[k]; o.Participant == p && !o.At.Before(f.From) && !o.At.After(f.To) {
					o.Explained |= o.Found & f.kinds[i]
				}
			}
		}
	}
	w.mu.Lock()
	same := slices.EqualFunc(w.findings, findings, func(a, b Finding) bool {
		return a.Code == b.Code && a.Key == b.Key && slices.Equal(a.Affected, b.Affected) && a.Members == b.Members
	})
	w.findings = findings
	w.mu.Unlock()
	if !same && w.Changed != nil {
		w.Changed()
	}
}

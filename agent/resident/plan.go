package resident

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Times of the checks around a session.
const (
	// A full check is made at a random time between earliestFull and latestFull before the
	// start, so that support can still act.
	earliestFull = 60 * time.Minute
	latestFull   = 20 * time.Minute
	// lastMoment is how long before the start a full check may begin at the latest: it must
	// be over when the session starts.
	lastMoment = time.Minute
	// silentBefore is how long before the start of a session the service stops using the line for what
	// can wait.
	silentBefore = 2 * time.Minute
	// spreadAfter is the time over which the checks after a session are spread.
	spreadAfter = 5 * time.Minute
	// coveredBy is the time before a full check in which small checks are omitted.
	coveredBy = 5 * time.Minute
	// retryFailed is the wait after a check that could not be made: the computer may have been
	// enrolled in the meantime.
	retryFailed = 5 * time.Minute
)

// Limits of a day, in any 24 hours.
const (
	// DayBytes limits the traffic of the checks at the interval, in both directions.
	DayBytes = 4 << 20
	// FullPerDay limits the full checks before sessions.
	FullPerDay = 6
	day        = 24 * time.Hour
)

// Kind is the extent of a check.
type Kind string

// Kinds of checks. None uses the microphone.
const (
	Small Kind = "small" // link and servers
	Full  Kind = "full"  // the whole network
)

// bytesOf is the usual size of a check with its report, in bytes on the line.
func bytesOf(k Kind) int64 {
	if k == Full {
		return 512 << 10
	}
	return 32 << 10
}

// Check is the next check.
type Check struct {
	Kind Kind
	// At is when the check is due; a time in the past means now.
	At time.Time
	// Session is the session before which the check is made; nil for none.
	Session *wire.Session
}

// Made records a check that was made.
type Made struct {
	At   time.Time `json:"at"` // its end
	Kind Kind      `json:"kind"`
	// Session is the start of the session before which it was made; zero for none.
	Session time.Time `json:"session,omitzero"`
	// Failed means that the check could not be made and caused no traffic.
	Failed bool `json:"failed,omitempty"`
}

// History contains the earlier checks on which the schedule depends. It is stored, so
// that a restart of the service does not repeat checks.
type History struct {
	Runs []Made `json:"runs"` // of the last two days, oldest first
}

// With returns h with one more check. Runs with a time in the future, caused by a wrong
// clock, are removed, as are old ones and earlier failures at the interval, which have no effect.
func (h History) With(r Made) History {
	kept := slices.DeleteFunc(slices.Clone(h.Runs), func(old Made) bool {
		return old.At.After(r.At) || r.At.Sub(old.At) > 2*day || old.Failed && old.Session.IsZero()
	})
	return History{append(kept, r)}
}

// last returns the last check, and whether any had a report.
func (h History) last() (last Made, reported bool) {
	for _, r := range h.Runs {
		last, reported = r, reported || !r.Failed
	}
	return last, reported
}

// prepared reports whether a full check was made for a session, and when the last one for it
// failed.
func (h History) prepared(start time.Time) (done bool, failed time.Time) {
	for _, r := range h.Runs {
		if !r.Session.Equal(start) || r.Session.IsZero() {
			continue
		}
		if !r.Failed {
			return true, time.Time{}
		}
		failed = r.At
	}
	return false, failed
}

// Plan determines the time and the extent of the next check. It is a pure function of its
// arguments.
type Plan struct {
	// Interval is the mean time between small checks.
	Interval time.Duration
	// Started is when the service started, First how long after that the first check is due.
	Started time.Time
	First   time.Duration
	// Draw is a random number in [0, 1) for the wait before the next small check.
	Draw float64
	// Seed is a random number that is chosen when the service starts. It determines the times
	// of the checks before and after sessions, so that computers do not check simultaneously.
	Seed uint64
	// Sparing means that the line is metered, or that the computer saves power: small checks
	// are rarer, and the first check is a small one. Checks before sessions are not affected.
	Sparing bool
}

// sparingFactor is how much longer the interval is with Plan.Sparing.
const sparingFactor = 4

// Next returns the next check.
func (p Plan) Next(now time.Time, sessions []wire.Session, h History) Check {
	small := p.nextSmall(now, sessions, h)
	full, ok := p.nextFull(now, sessions, h)
	// A full check before a session has priority, and makes a small one shortly before it
	// unnecessary.
	if ok && !full.At.After(later(small.At, now).Add(coveredBy)) {
		return full
	}
	return small
}

// nextFull returns the next full check before a session.
func (p Plan) nextFull(now time.Time, sessions []wire.Session, h History) (Check, bool) {
	var next Check
	found := false
	for _, s := range sessions {
		done, failed := h.prepared(s.StartsAt)
		if done {
			continue
		}
		at := s.StartsAt.Add(-latestFull - time.Duration(p.share(s.StartsAt, "before")*float64(earliestFull-latestFull)))
		if !failed.IsZero() && !failed.After(now) {
			at = later(at, failed.Add(retryFailed))
		}
		at = p.afterFulls(later(at, now), h)
		for _, o := range inOrder(sessions) {
			if silent(o, at, 0) {
				at = Ends(o)
			}
		}
		if at.Add(lastMoment).After(s.StartsAt) || found && !at.Before(next.At) {
			continue
		}
		next, found = Check{Kind: Full, At: at, Session: &s}, true
	}
	return next, found
}

// afterFulls delays a full check until there were fewer than FullPerDay in the preceding
// 24 hours.
func (p Plan) afterFulls(at time.Time, h History) time.Time {
	var ends []time.Time
	for _, r := range h.Runs {
		if !r.Session.IsZero() && !r.Failed && !r.At.After(at) && at.Sub(r.At) < day {
			ends = append(ends, r.At)
		}
	}
	if len(ends) < FullPerDay {
		return at
	}
	return ends[len(ends)-FullPerDay].Add(day)
}

// nextSmall returns the next check at the interval. The first check with a data folder is
// a full one, so that problems are found soon.
func (p Plan) nextSmall(now time.Time, sessions []wire.Session, h History) Check {
	next := Check{Kind: Small, At: now}
	first := p.Started.Add(p.First)
	if p.Started.After(now) { // the clock was ahead when the service started
		first = now
	}
	last, reported := h.last()
	if !reported && !p.Sparing {
		next.Kind = Full
	}
	wait := p.Interval
	if p.Sparing {
		wait *= sparingFactor
	}
	if last.Failed {
		wait = min(wait, retryFailed)
	}
	switch {
	case last.At.IsZero():
		next.At = first
	case last.At.After(now): // the clock was ahead
	default:
		next.At = later(last.At.Add(time.Duration(float64(wait)*(1+Jitter*(2*p.Draw-1)))), first)
	}
	next.At = later(next.At, now)
	next.At = withinBudget(next, h)
	for _, s := range inOrder(sessions) {
		before := silentBefore
		if done, _ := h.prepared(s.StartsAt); done {
			// The full check before a session remains the latest result: a small check
			// without findings must not hide it.
			before = earliestFull
		}
		if silent(s, next.At, before) {
			next.At = Ends(s).Add(time.Duration(p.share(s.StartsAt, "after") * float64(spreadAfter)))
		}
	}
	return next
}

// withinBudget returns the earliest time at which the traffic of the preceding 24 hours
// permits another check.
func withinBudget(a Check, h History) time.Time {
	var spent int64
	var recent []Made
	for _, r := range h.Runs {
		if r.Session.IsZero() && !r.Failed && !r.At.After(a.At) && a.At.Sub(r.At) < day {
			recent = append(recent, r)
			spent += bytesOf(r.Kind)
		}
	}
	at := a.At
	for _, r := range recent {
		if spent+bytesOf(a.Kind) <= DayBytes {
			break
		}
		spent -= bytesOf(r.Kind)
		at = r.At.Add(day)
	}
	return at
}

// InSession reports whether a session is in progress, or about to begin: the service then uses the line
// only for what cannot wait.
func InSession(sessions []wire.Session, now time.Time) bool {
	return CurrentSession(sessions, now) != nil
}

// CurrentSession returns the session that is in progress or about to begin; if there are several, the
// one that ends last; nil if there is none.
func CurrentSession(sessions []wire.Session, now time.Time) *wire.Session {
	var current *wire.Session
	for _, s := range sessions {
		if silent(s, now, silentBefore) && (current == nil || Ends(s).After(Ends(*current))) {
			current = &s
		}
	}
	return current
}

// Ends returns when the silence of a session ends. The length of a session is limited here, even if
// the collector sends a later end.
func Ends(s wire.Session) time.Time {
	if longest := s.StartsAt.Add(wire.MaxSessionLength); longest.Before(s.Closes()) {
		return longest
	}
	return s.Closes()
}

// silent reports whether a session prevents a check at this time or shortly before it.
func silent(s wire.Session, at time.Time, before time.Duration) bool {
	return !at.Before(s.StartsAt.Add(-before)) && at.Before(Ends(s))
}

func inOrder(sessions []wire.Session) []wire.Session {
	return slices.SortedFunc(slices.Values(sessions), func(a, b wire.Session) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), a.Closes().Compare(b.Closes()))
	})
}

// share returns a number in [0, 1) that depends only on Seed, the start of a session and use.
func (p Plan) share(start time.Time, use string) float64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.Seed), uint64(start.Unix())))
	_, _ = h.Write([]byte(use))
	x := h.Sum64()
	x ^= x >> 32 // the upper bits of FNV depend little on the last bytes
	x *= 0x9e3779b97f4a7c15
	return float64(x>>11) / (1 << 53)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

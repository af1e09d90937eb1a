package web

import (
	"context"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	// maxWindowRows bounds the rows of all cached windows together: about 10 MB.
	maxWindowRows = 10_000
	// maxWindowAge limits the age of a window, because some changes have no revision, such as a new
	// contact of an agent.
	maxWindowAge = time.Minute
	// countsFor is how long the counts are shared between pages that request them at the same time.
	countsFor = time.Second
	// maxChanges is the number of changed rows up to which a window is updated instead of read
	// again.
	maxChanges = 200
)

// window is the content of one list, at a revision of the store.
type window struct {
	revision int64
	since    time.Time // time from which checks count
	readAt   time.Time // when all rows were read
	counted  time.Time // when counts were read
	page     store.StatePage
	counts   store.StateCounts
}

func (w window) weight() int { return 1 + len(w.page.States) }

// readWindow reads all rows of a list. The revision is read first, so that a change in the meantime
// has a later one.
func (s *site) readWindow(ctx context.Context, a listQuery, v view) (w window, err error) {
	w = window{since: v.since, readAt: v.now, counted: v.now}
	if w.revision, err = s.Store.StateRevision(ctx); err != nil {
		return w, err
	}
	if w.page, err = s.states(ctx, a, v.since); err != nil {
		return w, err
	}
	if w.counts, err = s.Store.CountStates(ctx, v.since); err != nil {
		return w, err
	}
	if a.search == "" && a.after == "" {
		s.windows.put(a, w)
	}
	return w, nil
}

// currentWindow returns the rows of an open list. It requests from the store only the rows that
// have changed since the window was read for any page, and reads the whole window if these are not
// sufficient to update it.
func (s *site) currentWindow(ctx context.Context, a listQuery, v view) (window, error) {
	w, ok := s.windows.get(a)
	if age := v.now.Sub(w.readAt); !ok || age < 0 || age > maxWindowAge {
		return s.readWindow(ctx, a, v)
	}
	changes, err := s.Store.ChangedStates(ctx, w.revision, maxChanges)
	if err != nil {
		return w, err
	}
	ok = !changes.Whole
	if ok {
		w.page, ok = a.update(w.page, changes.States, w.since, v.since)
	}
	if !ok {
		return s.readWindow(ctx, a, v)
	}
	w.revision, w.since = changes.Revision, v.since
	if age := v.now.Sub(w.counted); len(changes.States) > 0 || age < 0 || age > countsFor {
		if w.counts, err = s.Store.CountStates(ctx, v.since); err != nil {
			return w, err
		}
		w.counted = v.now
	}
	s.windows.put(a, w)
	return w, nil
}

// update returns p, the first page of a list without a search, with changed rows. was and now are
// the oldest times at which a check counted before and counts now. ok is false if rows other
// than those of p and changed may belong to the page.
func (a listQuery) update(p store.StatePage, changed []store.ParticipantState, was, now time.Time) (store.StatePage, bool) {
	if a.show == showOld && !now.Equal(was) {
		return p, false // other rows may have become old
	}
	for _, row := range p.States {
		if row.Fresh(was) != row.Fresh(now) {
			return p, false // its place may be taken by other rows
		}
	}
	rows := slices.Clone(p.States)
	// If another page follows, the last row is the end of this page.
	var border store.ParticipantState
	if p.Next != "" {
		border = rows[len(rows)-1]
	}
	for _, c := range changed {
		at := slices.IndexFunc(rows, func(r store.ParticipantState) bool { return r.ID == c.ID })
		keeps := a.keeps(c, now)
		if p.Next != "" && (at >= 0 || keeps) {
			within := c.ID != border.ID && a.sorted().Compare(c, border, now) < 0
			if at < 0 && !within {
				continue // on a later page
			}
			if at < 0 || !keeps || !within {
				return p, false // a row would move from or to a later page
			}
		}
		if at >= 0 {
			rows = slices.Delete(rows, at, at+1)
		}
		if keeps {
			rows = append(rows, c)
		}
	}
	if len(rows) > a.rows() {
		return p, false
	}
	slices.SortFunc(rows, func(x, y store.ParticipantState) int { return a.sorted().Compare(x, y, now) })
	return store.StatePage{States: rows, Next: p.Next}, true
}

// keeps reports whether a participant belongs to the list, as the query of states does.
func (a listQuery) keeps(p store.ParticipantState, since time.Time) bool {
	if p.Blocked != (a.show == showBlocked) {
		return false
	}
	switch a.show {
	case showProblems:
		return isProblem(p, since)
	case showUnknown:
		return p.Verdict == report.Unknown && p.Fresh(since)
	case showReady:
		return p.Verdict == report.Ready && p.Fresh(since)
	case showOld:
		return p.Last != nil && !p.Fresh(since)
	case showNever:
		return p.Last == nil
	}
	return true
}

func isProblem(p store.ParticipantState, since time.Time) bool {
	return p.Fresh(since) && (p.Verdict == report.NotReady || p.Verdict == report.Limited)
}

// sorted is the order of the rows.
func (a listQuery) sorted() store.Order {
	if a.show == showProblems {
		return store.ByUrgency
	}
	return a.order
}

// rows is the largest number of rows on the page.
func (a listQuery) rows() int {
	if a.whole {
		return rowsAtMost
	}
	return rowsPerPage
}

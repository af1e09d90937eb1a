package store

import (
	"cmp"
	"strings"
	"time"
)

// Compare returns the order of two participants in the list: negative if a comes before
// b. A check counts if it was made since then (ParticipantState.Fresh).
func (o Order) Compare(a, b ParticipantState, since time.Time) int {
	switch o {
	case ByRecent:
		return cmp.Or(lastCheckedAt(b).Compare(lastCheckedAt(a)), strings.Compare(b.ID, a.ID))
	case ByUrgency:
		return cmp.Or(cmp.Compare(a.part(since), b.part(since)), b.CountsAt().Compare(a.CountsAt()), strings.Compare(b.ID, a.ID))
	}
	return cmp.Or(strings.Compare(NameKey(a.Name), NameKey(b.Name)), strings.Compare(a.ID, b.ID))
}

func lastCheckedAt(p ParticipantState) time.Time {
	if p.Last == nil {
		return time.Time{}
	}
	return p.Last.CheckedAt
}

// part returns the position of p's part of the list by urgency: the fresh ones by rank,
// the others by rank, those who were never checked.
func (p ParticipantState) part(since time.Time) int {
	rank := Rank(p.Verdict)
	if rank != RankNever && !p.Fresh(since) {
		return RankNever + rank
	}
	if rank == RankNever {
		return 2 * RankNever
	}
	return rank
}

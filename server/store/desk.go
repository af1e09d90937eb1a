package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// DeskCase is a case in the list of cases. The list has at most one case of each person: a case that
// somebody has taken, or else the case that was changed last, or else the case of the check that found a
// problem.
type DeskCase struct {
	Case                  // without entries
	Check   ReportSummary // the check that the case is about
	Person  ParticipantState
	Waiting time.Time // from when on the case has its state, or the time of the check
}

// About returns c as the case of a check.
func (c DeskCase) About(check ReportSummary) DeskCase {
	c.Check = check
	c.ReportID, c.ParticipantID, c.Code, c.Named = check.ID, check.ParticipantID, check.Case, check.Primary.Code
	c.Waiting = cmp.Or(c.Since, check.CheckedAt)
	return c
}

// DeskQuery requests the list of cases.
type DeskQuery struct {
	// FreshSince is the time from which on a problem counts, or an open case that somebody
	// has worked on. A taken case counts until it is closed.
	FreshSince time.Time
	// ClosedSince is the time from which on closed cases are listed.
	ClosedSince time.Time
	// By is the member of staff whose cases are listed once more.
	By string
	// Order is the order of the open cases; "" is ByWorst.
	Order DeskOrder
	// Limit is the largest number of cases in each of the lists.
	Limit int
}

// Desk is the list of cases. The taken ones are sorted by their time, and of the closed ones the
// last is first.
type Desk struct {
	Open, Taken, Closed []DeskCase
	Mine                []DeskCase // those that the member in the query has taken
	// Counts are the numbers of all, also beyond the limit.
	Counts DeskCounts
}

// DeskCounts are numbers of people with a case.
type DeskCounts struct{ Open, Taken, Mine, Closed int }

// DeskOrder is a sort order of the list of cases.
type DeskOrder string

// The orders of the list of cases.
const (
	ByWorst   DeskOrder = "worst"
	ByWaiting DeskOrder = "waiting"
)

// Sort sorts cases in place.
func (o DeskOrder) Sort(cases []DeskCase) {
	slices.SortFunc(cases, func(a, b DeskCase) int {
		worst := 0
		if o == ByWorst {
			worst = cmp.Compare(Rank(a.Check.Verdict), Rank(b.Check.Verdict))
		}
		return cmp.Or(worst, a.Waiting.Compare(b.Waiting), strings.Compare(a.ParticipantID, b.ParticipantID))
	})
}

// DeskVerdicts are the verdicts that make a case that nobody has worked on, worst first.
func DeskVerdicts() []report.Verdict { return []report.Verdict{report.NotReady, report.Limited} }

// OnePerPerson removes further cases of the same person, and those of people in taken.
func OnePerPerson(cases []DeskCase, taken map[string]bool) []DeskCase {
	seen := map[string]bool{}
	return slices.DeleteFunc(cases, func(c DeskCase) bool {
		if seen[c.ParticipantID] || taken[c.ParticipantID] {
			return true
		}
		seen[c.ParticipantID] = true
		return false
	})
}

package store

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// ClockSlack is the maximum contradiction between two readings of the server's clock
// and the order of the requests: requests overlap, and NTP steps a clock.
const ClockSlack = time.Minute

// Check is the check on which the latest state of a participant is based.
type Check struct {
	ReportID   string
	Case       string
	Verdict    report.Verdict
	CheckedAt  time.Time // server's clock
	ReceivedAt time.Time // server's clock
}

// superseded reports whether c is replaced by a new check: there is none, it is older,
// or it was received later than the new one by the server's clock although it was
// stored before. In the last case that clock was ahead, and the order of receipt
// counts: otherwise the state would remain for as long as the clock was wrong.
func (c *Check) superseded(by Check) bool {
	return c == nil || !c.CheckedAt.After(by.CheckedAt) || c.ReceivedAt.After(by.ReceivedAt.Add(ClockSlack))
}

// Known is the present knowledge about a participant from their reports. Its zero value
// is that of a participant who was never checked.
type Known struct {
	Last *Check // the last check
	Full *Check // the last check with a microphone
}

// With returns k after one more report. A report of an event describes what happened,
// and says nothing about whether somebody will be heard.
func (k Known) With(n NewReport) Known {
	if n.Report.Trigger == report.TriggerEvent {
		return k
	}
	c := Check{ReportID: n.Report.ID, Case: n.Report.Case, Verdict: n.Report.Verdict, CheckedAt: n.CheckedAt, ReceivedAt: n.ReceivedAt}
	if k.Last.superseded(c) {
		k.Last = &c
	}
	if heardMicrophone(n.Report) && k.Full.superseded(c) {
		k.Full = &c
	}
	return k
}

// heardMicrophone reports whether a check can show that somebody will be heard.
func heardMicrophone(r *report.Report) bool {
	input, ok := r.Probe(report.ProbeAudioInput)
	return ok && input.Status != report.StatusSkipped
}

// Verdict combines the last check and the last full one. It is "" for a participant who
// was never checked.
func (k Known) Verdict() report.Verdict {
	switch decides := k.Decides(); {
	case k.Last == nil:
		return ""
	case decides == nil:
		return report.Unknown
	default:
		return decides.Verdict
	}
}

// Decides returns the check that decides the verdict; nil for none. A fault that a
// background check found counts. If it found none, it revokes no finding of a full check,
// and makes nobody ready who has had no full check.
func (k Known) Decides() *Check {
	if k.Last != nil && k.Last.Verdict == report.Ready {
		return k.Full
	}
	return k.Last
}

// CountsAt is the time from which Verdict ages: the time of the last check or, if it is "ready"
// and the last full check is older, the time of that one (see ParticipantState.Fresh). It is zero
// for a participant who was never checked.
func (k Known) CountsAt() time.Time {
	if k.Last == nil {
		return time.Time{}
	}
	if k.Verdict() == report.Ready && k.Full.CheckedAt.Before(k.Last.CheckedAt) {
		return k.Full.CheckedAt
	}
	return k.Last.CheckedAt
}

// Ranks of the latest states, worst first. They are stored in databases.
const (
	rankNotReady = 0
	rankLimited  = 1
	rankUnknown  = 2
	rankReady    = 3
	// RankNever is the rank of a participant who was never checked.
	RankNever = 9
)

// Ranks returns all ranks in order.
func Ranks() []int { return []int{rankNotReady, rankLimited, rankUnknown, rankReady, RankNever} }

// Rank returns the rank of a verdict: those that need help come first. Unknown comes
// before ready, because it is unknown whether that person's microphone works. A verdict that
// this version does not know counts as unknown.
func Rank(v report.Verdict) int {
	switch v {
	case "":
		return RankNever
	case report.NotReady:
		return rankNotReady
	case report.Limited:
		return rankLimited
	case report.Ready:
		return rankReady
	}
	return rankUnknown
}

// VerdictOf returns the verdict of a rank, and "" for RankNever.
func VerdictOf(rank int) report.Verdict {
	for _, v := range []report.Verdict{report.NotReady, report.Limited, report.Unknown, report.Ready} {
		if Rank(v) == rank {
			return v
		}
	}
	return ""
}

// SeenAt returns the later of two contacts with an agent, because overlapping requests
// arrive in any order. The new one counts if the old one comes from a clock that was
// ahead.
func SeenAt(old, now time.Time) time.Time {
	if old.Before(now) || old.After(now.Add(ClockSlack)) {
		return now
	}
	return old
}

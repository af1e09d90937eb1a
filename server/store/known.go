package store

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// ClockSlack is by how much two clock readings of the server may contradict the
// order in which requests came in: requests overlap, and NTP steps a clock.
const ClockSlack = time.Minute

// Check is what the latest state of a participant rests on.
type Check struct {
	ReportID   string
	Case       string
	Verdict    report.Verdict
	CheckedAt  time.Time // server's clock
	ReceivedAt time.Time // server's clock
}

// superseded reports whether c gives way to a check that has come in: there is
// none, it is older, or it came in later than the new one by the server's clock
// although it was there before. Then that clock was ahead, and the order of
// receipt counts: otherwise the state would stay for as long as the clock was
// wrong.
func (c *Check) superseded(by Check) bool {
	return c == nil || !c.CheckedAt.After(by.CheckedAt) || c.ReceivedAt.After(by.ReceivedAt.Add(ClockSlack))
}

// Known is what the reports of a participant say of them at the moment. Its zero
// value is that of somebody who was never checked.
type Known struct {
	Last *Check // the last check
	Full *Check // the last check that heard the microphone
}

// With is k after one more report. A report of an event tells what happened, and
// nothing about whether somebody will be heard.
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

// heardMicrophone reports whether a check could show that somebody will be heard.
func heardMicrophone(r *report.Report) bool {
	input, ok := r.Probe(report.ProbeAudioInput)
	return ok && input.Status != report.StatusSkipped
}

// Verdict puts the last check and the last full one together. A fault found in
// the background counts. That it found none takes back nothing that a full check
// has found, and shows nobody ready who has had none. It is "" for somebody who
// was never checked.
func (k Known) Verdict() report.Verdict {
	switch {
	case k.Last == nil:
		return ""
	case k.Last.Verdict != report.Ready:
		return k.Last.Verdict
	case k.Full == nil:
		return report.Unknown
	}
	return k.Full.Verdict
}

// CountsAt is the time by which Verdict grows old: that of the last check, and of
// the last full one where it says "ready" (see ParticipantState.Fresh). It is zero
// for somebody who was never checked.
func (k Known) CountsAt() time.Time {
	if k.Last == nil {
		return time.Time{}
	}
	if k.Verdict() == report.Ready && k.Full.CheckedAt.Before(k.Last.CheckedAt) {
		return k.Full.CheckedAt
	}
	return k.Last.CheckedAt
}

// Ranks of the latest states, worst first. They are kept in databases.
const (
	rankNotReady = 0
	rankLimited  = 1
	rankUnknown  = 2
	rankReady    = 3
	// RankNever is the rank of somebody who was never checked.
	RankNever = 9
)

// Ranks returns all ranks in their order.
func Ranks() []int { return []int{rankNotReady, rankLimited, rankUnknown, rankReady, RankNever} }

// Rank is the place of a verdict among the latest states: what needs help comes
// first. Unknown comes before ready: nobody has seen that person's microphone
// work. A verdict that this version does not know is unknown.
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

// VerdictOf is the verdict of a rank, and "" of RankNever.
func VerdictOf(rank int) report.Verdict {
	for _, v := range []report.Verdict{report.NotReady, report.Limited, report.Unknown, report.Ready} {
		if Rank(v) == rank {
			return v
		}
	}
	return ""
}

// SeenAt is the later of two times at which the server heard of an agent;
// overlapping requests bring them in any order. The new one counts where the old
// one is of a clock that was ahead.
func SeenAt(old, now time.Time) time.Time {
	if old.Before(now) || old.After(now.Add(ClockSlack)) {
		return now
	}
	return old
}

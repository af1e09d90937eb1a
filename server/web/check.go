package web

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server/store"
)

// check is a report in words.
type check struct {
	State    state
	Headline string // as on the participant's screen
	Primary  *cause
	// CommonSay is what to say to the caller while a common cause explains Primary; otherwise "".
	CommonSay string
	Reason    reason // if there is no primary cause
	Others    []cause
	Probes    []probed
	Untested  []untested
	Case      string
	Checked   *when
	Received  *when // set if the report arrived long after the check
	Trigger   string
	Profile   string
	BasedOn   string // the shipped profile, if Profile is a town's own
	Target    string
	System    string
	Version   string
	Document  string // address
	Address   string
	// Unreadable is set if this version cannot decode the document. Only the summary is
	// available then.
	Unreadable bool

	found *report.Cause // of Primary
	at    time.Time     // of the check
}

// lateAfter is the delay from which the page shows when a report arrived.
const lateAfter = 10 * time.Minute

func (v view) check(stored store.StoredReport) check {
	c := check{State: v.result(stored.ReportSummary), Headline: diagnose.VerdictText(stored.Verdict, v.lang), Reason: v.reason(stored.ReportSummary), at: stored.CheckedAt,
		Case: clean(stored.Case, 12), Checked: v.when(stored.CheckedAt), Trigger: v.trigger(stored.Trigger),
		Document: reportAddress(stored.ParticipantID, stored.ID) + "/document",
		Address:  reportAddress(stored.ParticipantID, stored.ID)}
	if stored.ReceivedAt.Sub(stored.CheckedAt) >= lateAfter {
		c.Received = v.when(stored.ReceivedAt)
	}
	r, err := v.terms.Probes().Decode(stored.Document)
	if err != nil {
		c.Unreadable = true
		return c
	}
	c.Headline = diagnose.Headline(r, v.lang)
	c.Profile, c.Target = clean(r.Profile, 40), clean(origin.Display(r.Target), maxValueRunes)
	c.System, c.Version = v.system(r.Agent.OS, r.Agent.Arch), clean(r.Agent.Version, 40)
	if r.Limits != nil {
		c.BasedOn = clean(r.Limits.Base, 40)
	}
	limits := diagnose.ProfileOf(r)
	for _, found := range r.Causes {
		if told := v.cause(found, limits); found.Primary && c.Primary == nil {
			c.Primary, c.found = &told, &found
		} else {
			c.Others = append(c.Others, told)
		}
	}
	c.Probes, c.Untested = v.probed(r), v.untested(r)
	return c
}

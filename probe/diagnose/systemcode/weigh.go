package systemcode

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Measured is what is known of the computer of the person who reads out a code.
type Measured struct {
	// Report is the last check; nil if there is none.
	Report *report.Report
	// Old is set if the check is too old to count.
	Old bool
}

// Answer is what measurements say to a code.
type Answer string

// The answers.
const (
	Confirmed Answer = "confirmed" // the check found what leads to the code
	Refuted   Answer = "refuted"   // the check measured what leads to it, and found nothing
	Open      Answer = "open"      // the check cannot tell
)

// Why is the reason of an answer.
type Why string

// The reasons.
const (
	WhyCause          Why = "cause"           // the check named a cause that leads to the code
	WhySameCode       Why = "same_code"       // the system gave the check the same code
	WhyStep           Why = "step"            // the same step failed
	WhyWorked         Why = "worked"          // the same steps succeeded with the same system
	WhyNothingFound   Why = "nothing_found"   // everything that leads to it was measured and is good
	WhyDetour         Why = "detour"          // the sound arrived, but not over UDP as in the browser
	WhyServerUntested Why = "server_untested" // computer and line are good, the system was not tested
	WhyNotMeasured    Why = "not_measured"    // something that leads to it was not measured
	WhyBeyond         Why = "beyond"          // a check cannot measure what leads to it
	WhyOld            Why = "old"             // the last check is too old
	WhyNoCheck        Why = "no_check"        // there is none
)

// Finding is the answer of a check to a code, with the evidence.
type Finding struct {
	Answer Answer
	Why    Why
	// Cause is the cause that confirms the code; its Code is "" without one.
	Cause report.Cause
	// Evidence is the measured values behind the answer.
	Evidence []report.Evidence
	// Steps are the steps of the check of the system that the answer is about.
	Steps []report.ConferenceCheck
	// Probes are those that measured without a fault, where nothing was found.
	Probes []string
}

// Text returns the answer in a sentence for support.
func (f Finding) Text(lang phrase.Lang) string { return book(lang).T("answer." + string(f.Why)) }

// Word returns the answer in a word.
func (f Finding) Word(lang phrase.Lang) string { return book(lang).T("word." + string(f.Answer)) }

// Weigh holds a code against what was measured.
func Weigh(c Code, m Measured) Finding {
	switch {
	case m.Report == nil:
		return Finding{Answer: Open, Why: WhyNoCheck}
	case m.Old:
		return Finding{Answer: Open, Why: WhyOld}
	}
	found, named := c.named(m.Report)
	// What the system itself did counts more than what was measured against other servers.
	if f, known := c.visited(m.Report); known {
		if f.Answer == Confirmed && named {
			f.Cause, f.Evidence = found, append(f.Evidence, found.Evidence...)
		}
		return f
	}
	if named {
		return Finding{Answer: Confirmed, Why: WhyCause, Cause: found, Evidence: found.Evidence}
	}
	switch {
	case c.Beyond, len(c.Causes)+len(c.Steps) == 0:
		return Finding{Answer: Open, Why: WhyBeyond}
	case len(c.Steps) > 0:
		own := slices.DeleteFunc(slices.Clone(c.Causes), func(code string) bool { return strings.HasPrefix(code, "conf.") })
		if probes, ok := measured(own, m.Report); ok && len(own) > 0 {
			return Finding{Answer: Open, Why: WhyServerUntested, Probes: probes}
		}
	default:
		if probes, ok := measured(c.Causes, m.Report); ok {
			return Finding{Answer: Refuted, Why: WhyNothingFound, Probes: probes}
		}
	}
	return Finding{Answer: Open, Why: WhyNotMeasured}
}

// named returns the most likely of the causes that the report names, and whether there is
// one. A hint (SeverityInfo) disturbs nothing, and leads to no error.
func (c Code) named(r *report.Report) (report.Cause, bool) {
	for _, code := range c.Causes {
		i := slices.IndexFunc(r.Causes, func(found report.Cause) bool {
			return found.Code == code && found.Severity != report.SeverityInfo
		})
		if i >= 0 {
			return r.Causes[i], true
		}
	}
	return report.Cause{}, false
}

// visited returns what the check of the system itself says to a code, and whether it says
// anything.
func (c Code) visited(r *report.Report) (Finding, bool) {
	result, there := r.Probe(report.ConferenceGroup + "." + c.System)
	d, ok := result.Data.(*report.Conference)
	if !there || !ok || d == nil {
		return Finding{}, false
	}
	var steps []report.ConferenceCheck
	passed := 0
	for _, name := range c.Steps {
		step, ok := d.Check(name)
		if !ok {
			continue
		}
		steps = append(steps, step)
		if step.Status == report.StatusOK {
			passed++
		}
	}
	failed := slices.ContainsFunc(steps, func(s report.ConferenceCheck) bool { return s.Status == report.StatusFail })
	switch {
	case d.FailedCode == c.Number || slices.Contains(c.Aliases, d.FailedCode):
		return Finding{Answer: Confirmed, Why: WhySameCode, Evidence: []report.Evidence{
			{Probe: result.Name, Field: "failed_step", Value: d.FailedStep}, {Probe: result.Name, Field: "failed_code", Value: d.FailedCode},
		}}, true
	case failed:
		return Finding{Answer: Confirmed, Why: WhyStep, Steps: steps}, true
	case passed == 0 || passed < len(c.Steps):
		return Finding{}, false
	case !slices.Contains(c.Steps, report.StepPath):
		return Finding{Answer: Refuted, Why: WhyWorked, Steps: steps}, true
	case d.Media == nil || d.Media.Path == "":
		return Finding{}, false
	}
	f := Finding{Answer: Refuted, Why: WhyWorked, Steps: steps, Evidence: []report.Evidence{{Probe: result.Name, Field: "media.path", Value: d.Media.Path}}}
	if !strings.HasSuffix(d.Media.Path, "udp") {
		f.Answer, f.Why = Open, WhyDetour
	}
	return f, true
}

// measured returns the probes that measured without a fault what the rules of the causes
// read, and whether they cover all causes. A rule reads whatever of its probes is there,
// so that one of them is enough for it.
func measured(causes []string, r *report.Report) (probes []string, all bool) {
	for _, code := range causes {
		d, ok := diagnose.Lookup(code)
		if !ok {
			return nil, false
		}
		i := slices.IndexFunc(d.Needs, func(name string) bool { return good(r, name) })
		if i < 0 {
			return nil, false
		}
		if !slices.Contains(probes, d.Needs[i]) {
			probes = append(probes, d.Needs[i])
		}
	}
	return probes, true
}

func good(r *report.Report, probe string) bool {
	return slices.ContainsFunc(r.Probes, func(p report.Result) bool {
		standing := diagnose.Standing(p)
		return p.Name == probe && (standing == report.StatusOK || standing == diagnose.StandingHeard)
	})
}

// Version returns the version that the system named to the check; "" if it named none.
func Version(system string, r *report.Report) string {
	if r == nil {
		return ""
	}
	result, _ := r.Probe(report.ConferenceGroup + "." + system)
	if d, ok := result.Data.(*report.Conference); ok && d != nil {
		return d.Version
	}
	return ""
}

package systemcode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Measured is what is known about the computer of the caller.
type Measured struct {
	// Report is the last check; nil if there is none.
	Report *report.Report
	// Old is set if the check is too old to count.
	Old bool
}

// Answer is the result of comparing a code with measurements.
type Answer string

// The answers.
const (
	Confirmed Answer = "confirmed" // the check found a cause of the code
	Refuted   Answer = "refuted"   // the check measured everything that causes it, and found nothing
	Open      Answer = "open"      // the check cannot tell
)

// Why is the reason of an answer.
type Why string

// The reasons.
const (
	WhyCause          Why = "cause"           // the check reported a cause of the code
	WhySameCode       Why = "same_code"       // the system gave the check the same code
	WhyStep           Why = "step"            // the same step failed
	WhyWorked         Why = "worked"          // the same steps succeeded with the same system
	WhyNothingFound   Why = "nothing_found"   // everything that causes it was measured and is good
	WhyDetour         Why = "detour"          // the sound arrived, but not over UDP as in the browser
	WhyRelay          Why = "relay"           // the same steps succeeded, but not for browsers that must use a relay
	WhyBrowserOnly    Why = "browser_only"    // the same steps succeeded, but the browser may prevent them
	WhyServerUntested Why = "server_untested" // computer and line are good, the system was not tested
	WhyNotMeasured    Why = "not_measured"    // something that causes it was not measured
	WhyBeyond         Why = "beyond"          // a check cannot measure what causes it
	WhyOld            Why = "old"             // the last check is too old
	WhyNoCheck        Why = "no_check"        // there is no check
)

// Finding is the answer for a code, with the evidence.
type Finding struct {
	Answer Answer
	Why    Why
	// Cause is the cause that confirms the code, or leaves it open; its Code is "" if there
	// is none.
	Cause report.Cause
	// Evidence contains the measured values behind the answer.
	Evidence []report.Evidence
	// Steps are the relevant steps of the check of the system.
	Steps []report.ConferenceCheck
	// Probes are those that found no fault, if nothing was found.
	Probes []string
}

// Text returns the answer as a sentence for support.
func (f Finding) Text(lang phrase.Lang) string { return book(lang).T("answer." + string(f.Why)) }

// Word returns the answer as one word.
func (f Finding) Word(lang phrase.Lang) string { return book(lang).T("word." + string(f.Answer)) }

// Weigh compares a code with what was measured.
func Weigh(c Code, m Measured) Finding {
	switch {
	case m.Report == nil:
		return Finding{Answer: Open, Why: WhyNoCheck}
	case m.Old:
		return Finding{Answer: Open, Why: WhyOld}
	}
	found, named := c.named(m.Report)
	// The result of the system itself has priority over measurements against other
	// servers.
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

// named returns the most likely of the causes in the report, and whether there is one. A
// remark (SeverityInfo) has no effect and causes no error.
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

// visited returns the answer from the check of the system itself, and whether there is
// one.
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
	case c.Beyond, passed == 0 || passed < len(c.Steps), c.BySIP && !throughSFU(d):
		return Finding{}, false
	case !slices.Contains(c.Steps, report.StepPath):
		return Finding{Answer: Refuted, Why: WhyWorked, Steps: steps}, true
	case d.Media == nil || d.Media.Path == "":
		return Finding{}, false
	}
	f := Finding{Answer: Refuted, Why: WhyWorked, Steps: steps, Evidence: []report.Evidence{{Probe: result.Name, Field: "media.path", Value: d.Media.Path}}}
	relay := slices.IndexFunc(r.Causes, func(found report.Cause) bool { return found.Code == relayRefuses })
	switch {
	case relay >= 0:
		f.Answer, f.Why, f.Cause, f.Evidence = Open, WhyRelay, r.Causes[relay], append(f.Evidence, r.Causes[relay].Evidence...)
	case !strings.HasSuffix(d.Media.Path, "udp"):
		f.Answer, f.Why = Open, WhyDetour
	case c.InBrowser:
		f.Answer, f.Why = Open, WhyBrowserOnly
	}
	return f, true
}

// relayRefuses is the cause of a relay that a browser may have to use, which this program
// need not. Even as a remark it keeps the sound of that browser from arriving.
const relayRefuses = "conf.turn_denied"

// throughSFU reports whether the browser's calls to a BigBlueButton are known to go the way
// that the check tests. Up to 2.5 they go by SIP.js through a WebSocket of nginx to
// FreeSWITCH. A server from 3.0 on states the bridge, and may hide its version; 2.0 is the
// version of the API.
func throughSFU(d *report.Conference) bool {
	if d.Bridge != "" {
		return d.Bridge != "freeswitch"
	}
	var major, minor int
	if _, err := fmt.Sscanf(d.Version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 2 || major == 2 && minor >= 6
}

// measured returns the probes without a fault that the rules of the causes read, and
// whether they cover all causes. A rule uses whichever of its probes is present, so one
// of them is enough for it.
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

// Version returns the version that the system reported to the check; "" for none.
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

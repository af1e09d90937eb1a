package words

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Answer is the result for a councillor: one sentence, the reason, and one action.
type Answer struct {
	Headline string
	Cause    string
	Action   string
	// Untested lists what could not be tested; empty if nothing is missing.
	Untested string
	// Conference states which part of the conference system was not tested, and why;
	// empty if nothing is missing.
	Conference string
	// Heard states that the conference system returned the voice; empty if it did not,
	// or was not asked.
	Heard string
	// Loudspeaker states whether the tone was heard; empty if none was played, or
	// if the cause states it.
	Loudspeaker string
	// Measured contains the measurements that are shown with the verdict, such as
	// the capacity of the line; empty if they were not requested.
	Measured string
	// More states the number of further remarks; empty if there are none.
	More string
}

// Answer returns the answer of a report.
func (w Words) Answer(r *report.Report) Answer {
	a := Answer{Headline: diagnose.Headline(r, w.Lang()), Untested: w.untested(r), Conference: w.partlyTested(r), Heard: w.heardThere(r)}
	others := len(r.Causes)
	primary, found := r.Primary()
	if found {
		others--
	}
	text, explained := diagnose.ExplainCause(primary, w.Lang())
	switch {
	case found && explained:
		a.Cause, a.Action = text.Sentence, text.Action
	case r.Verdict == report.Ready:
		a.Cause, a.Action = w.T("verdict.nothing_found"), w.T("verdict.nothing_to_do")
	case r.Verdict == report.Unknown && voiceState(r) == report.MediaNotEnrolled:
		a.Cause, a.Action = w.T("verdict.not_enrolled"), w.T("verdict.not_enrolled_action")
	case r.Verdict == report.Unknown && voiceState(r) == report.MediaBlocked:
		a.Cause, a.Action = w.T("verdict.blocked"), w.T("verdict.blocked_action")
	case r.Verdict == report.Unknown && voiceState(r) == report.MediaUnknownAgent:
		a.Cause, a.Action = w.T("verdict.unknown_agent"), w.T("verdict.unknown_agent_action")
	case strings.HasPrefix(diagnose.HeadlineKey(r), "unknown_computer"):
		a.Cause, a.Action = w.ofComputer(r)
		others = max(0, others-1)
	default:
		a.Cause, a.Action = w.T("verdict.incomplete"), w.T("verdict.incomplete_action")
	}
	a.Loudspeaker = w.loudspeaker(r, primary.Code)
	a.Measured = strings.Join(w.terms.Summary(r), " ")
	switch {
	case others == 1:
		a.More = w.T("verdict.more_one")
	case others > 1:
		a.More = w.T("verdict.more", "count", w.Number(others))
	}
	return a
}

// ofComputer returns the first remark about a computer of which nothing else was checked,
// or a statement that there is none. Repeating such a check would not help.
func (w Words) ofComputer(r *report.Report) (cause, action string) {
	if len(r.Causes) > 0 {
		if text, ok := diagnose.ExplainCause(r.Causes[0], w.Lang()); ok {
			return text.Sentence, text.Action
		}
	}
	if diagnose.HeadlineKey(r) == "unknown_computer_partly" {
		return w.T("verdict.computer_partly"), w.T("verdict.computer_action")
	}
	return w.T("verdict.computer"), w.T("verdict.computer_action")
}

// voiceState returns the state of the voice stream; "" if there is none. Without a
// collector, repeating the check would not help.
func voiceState(r *report.Report) report.MediaState {
	voice := report.Find[report.MediaVoice](r)
	if voice == nil {
		return ""
	}
	return voice.State
}

func (w Words) loudspeaker(r *report.Report, primary string) string {
	out := report.Find[report.AudioOutput](r)
	switch {
	case out == nil, toneUnheard(primary):
		return ""
	case heard(out):
		return w.T("verdict.tone_heard")
	case slices.ContainsFunc(r.Causes, func(c report.Cause) bool { return toneUnheard(c.Code) }):
		return w.T("verdict.tone_not_heard")
	}
	return w.T("verdict.tone_unclear")
}

// toneUnheard reports whether a cause is a test sound that was not heard.
func toneUnheard(code string) bool {
	d, _ := diagnose.Lookup(code)
	return d.ToneUnheard
}

// heard reports whether the test tone was heard. The person's answer takes precedence over the
// measurement.
func heard(out *report.AudioOutput) bool {
	if out.ToneHeard != nil {
		return *out.ToneHeard
	}
	return out.LoopHeard != nil && *out.LoopHeard
}

// untested returns the sentence that lists the probes without a result. It omits probes that
// only refine a result and never affect the verdict: most servers cannot determine the
// behaviour of a router, for example.
func (w Words) untested(r *report.Report) string {
	var names []string
	for _, p := range r.Probes {
		described, _ := w.terms.Probes().Find(p.Name)
		if described.Supporting {
			continue
		}
		switch diagnose.Standing(p) {
		case report.StatusOK, report.StatusWarn, report.StatusFail:
		case report.StatusSkipped:
			if !described.Remote {
				names = append(names, w.Probe(p.Name))
			}
		default:
			names = append(names, w.Probe(p.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return w.T("verdict.untested", "probes", strings.Join(names, ", "))
}

package words

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Answer is what a councillor is told: one sentence, why, and one thing to do.
type Answer struct {
	Headline string
	Cause    string
	Action   string
	// Untested names what could not be told about; empty when nothing is open.
	Untested string
	// Loudspeaker says whether the tone was heard; empty when none was played,
	// or when the cause says it.
	Loudspeaker string
	// Measured tells what was measured of the fields that belong beside the verdict,
	// such as what the line carries when it is full; empty where nobody asked for it.
	Measured string
	// More says how many further remarks there are; empty when there is none.
	More string
}

// Answer puts the answer of a report together.
func (w Words) Answer(r *report.Report) Answer {
	a := Answer{Headline: diagnose.Headline(r, w.Lang()), Untested: w.untested(r)}
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

// voiceState says how far the voice stream came, "" where there is none. Where no
// collector measures for this computer, repeating the check would not help.
func voiceState(r *report.Report) report.MediaState {
	voice := report.Find[report.MediaVoice](r)
	if voice == nil {
		return ""
	}
	return voice.State
}

// codeSpeakerSilent blames the loudspeaker for a tone that was not heard.
const codeSpeakerSilent = "audio.speaker_silent"

func (w Words) loudspeaker(r *report.Report, primary string) string {
	out := report.Find[report.AudioOutput](r)
	switch {
	case out == nil, primary == codeSpeakerSilent:
		return ""
	case heard(out):
		return w.T("verdict.tone_heard")
	case slices.ContainsFunc(r.Causes, func(c report.Cause) bool { return c.Code == codeSpeakerSilent }):
		return w.T("verdict.tone_not_heard")
	}
	return w.T("verdict.tone_unclear")
}

// heard goes by the person's word first.
func heard(out *report.AudioOutput) bool {
	if out.ToneHeard != nil {
		return *out.ToneHeard
	}
	return out.LoopHeard != nil && *out.LoopHeard
}

// untested leaves out what only adds to a finding and never holds up a verdict:
// most servers cannot tell how a router behaves, and that troubles nobody.
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

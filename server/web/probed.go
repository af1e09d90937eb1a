package web

import (
	"math"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// probed is a probe with its values.
type probed struct {
	Name  string
	State state
	Note  string // reason if there is no result, otherwise ""
	Lines []figure
	Steps []step // of a conference system, in the order of its client
}

// step is a step of a conference check.
type step struct {
	Name  string
	State state
	Code  string // reported by the system or the program; "" for a step without a fault
	Took  string // "" if it was not done
}

// figure is a measured value.
type figure struct {
	Name, Value string
	Unknown     bool // not measured; never shown as good
}

// probed returns the probes of a report with the values that their descriptions assign to the
// dashboard. The other values are only in the document.
func (v view) probed(r *report.Report) []probed {
	var list []probed
	for _, p := range r.Probes {
		one := probed{Name: v.probe(p.Name), State: v.status(diagnose.Standing(p)), Note: v.note(p.Error)}
		for _, f := range append(v.terms.MediaPaths(r, p.Name), v.terms.Figures(p, report.Dashboard)...) {
			if f.Value == "" {
				f.Value = v.terms.Value(nil, "")
			}
			one.Lines = append(one.Lines, figure{Name: f.Name, Value: clean(f.Value, maxValueRunes), Unknown: f.Unknown})
		}
		if c, ok := p.Data.(*report.Conference); ok && c != nil {
			one.Steps = v.steps(c.Checks)
		}
		list = append(list, one)
	}
	return list
}

func (v view) steps(checks []report.ConferenceCheck) []step {
	list := make([]step, 0, len(checks))
	for _, check := range checks {
		s := step{Name: clean(v.terms.Value(string(check.Name), ""), maxNameRunes), State: v.status(check.Status)}
		if check.Code != "" {
			s.Code = clean(v.terms.Value(check.Code, ""), maxValueRunes)
		}
		if check.Host != "" { // another server than the one whose address is shown
			s.Code = strings.TrimSpace(s.Code + " (" + clean(check.Host, maxValueRunes) + ")")
		}
		if check.MS != nil {
			s.Took = v.terms.Value(math.Round(*check.MS), "ms")
		}
		list = append(list, s)
	}
	return list
}

func (v view) probe(name string) string {
	if text, ok := v.terms.Probe(name); ok {
		return text
	}
	return clean(name, maxNameRunes)
}

// note returns the reason for a missing result, in the words of the participant's screen.
func (v view) note(note string) string {
	if note == "" {
		return ""
	}
	if text, known := diagnose.NoteText(note, v.lang); known {
		return v.T("check.note", "text", text)
	}
	return v.T("check.note_technical", "text", clean(report.CleanText(note), maxValueRunes))
}

func (v view) status(s report.Status) state {
	kind := string(report.StatusUnknown)
	switch s {
	case report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusSkipped, diagnose.StandingPartial:
		kind = string(s)
	case diagnose.StandingHeard:
		return state{Kind: string(report.StatusOK), Word: v.T("status.heard")}
	}
	return state{Kind: kind, Word: v.T("status." + kind)}
}

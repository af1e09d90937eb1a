package words

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Section is one part of the details: a probe with its values or a cause with
// its evidence.
type Section struct {
	Title string
	// State is set for a probe, Severity for a cause; each decides the mark.
	State    report.Status
	Severity report.Severity
	Lines    []string
}

// Found are the causes of a report with their evidence.
func (w Words) Found(r *report.Report) []Section {
	var all []Section
	for _, c := range r.Causes {
		all = append(all, w.cause(c))
	}
	return all
}

func (w Words) cause(c report.Cause) Section {
	s := Section{Title: Clean(c.Code, 60), Severity: c.Severity}
	if text, ok := diagnose.ExplainCause(c, w.Lang()); ok {
		s.Title = text.Sentence
		s.Lines = append(s.Lines, w.T("details.action", "text", text.Action))
	}
	if len(c.Evidence) > 0 {
		s.Lines = append(s.Lines, w.T("details.evidence"))
		for _, e := range c.Evidence {
			s.Lines = append(s.Lines, "  "+Clean(diagnose.EvidenceText(e, w.Lang()), 200))
		}
	}
	s.Lines = append(s.Lines, w.area(c.Area))
	if !math.IsNaN(c.Confidence) {
		s.Lines = append(s.Lines, w.T("details.confidence", "value", int(math.Round(c.Confidence*100))))
	}
	s.Lines = append(s.Lines, w.T("details.code", "code", Clean(c.Code, 60)))
	return s
}

func (w Words) area(a report.Area) string {
	switch a {
	case report.AreaParticipant, report.AreaMunicipality, report.AreaProvider:
	default:
		a = report.AreaUnknown
	}
	return w.T("area.line", "area", w.T("area."+string(a)))
}

// Measured are the probes of a report with the values that matter. A value
// that is not there is called "not checked".
func (w Words) Measured(r *report.Report) []Section {
	var all []Section
	for _, p := range r.Probes {
		s := Section{Title: w.Probe(p.Name), State: diagnose.Standing(p)}
		values := diagnose.FieldValues(p.Data)
		if p.Name == report.ProbeNATTURN {
			s.Lines = w.ways(r)
		}
		if values == nil {
			s.Lines = append(s.Lines, w.T("details.no_data"))
		} else {
			for _, field := range shown[p.Name] {
				s.Lines = append(s.Lines, w.value(p.Name, field, values[field]))
			}
		}
		if p.Error != "" {
			s.Lines = append(s.Lines, w.Note(p.Error))
		}
		all = append(all, s)
	}
	return all
}

// ways are the four ways for sound and pictures, one line each.
func (w Words) ways(r *report.Report) (lines []string) {
	for _, way := range diagnose.WaysOf(r) {
		lines = append(lines, w.T("details.value", "name", way.Name(w.Lang()), "value", way.StateText(w.Lang())))
	}
	return lines
}

func (w Words) value(probe, field string, v any) string {
	said := w.T("details.not_measured")
	if v != nil && v != "" {
		said = Clean(diagnose.ValueText(v, diagnose.FieldUnit(field), w.Lang()), 60)
	}
	return w.T("details.value", "name", diagnose.FieldText(probe, field, w.Lang()), "value", said)
}

// About says when the check was made and how long it took.
func (w Words) About(r *report.Report) []string {
	lines := []string{
		w.T("details.about", "case", Clean(r.Case, 12), "date", w.date(r.StartedAt), "duration", w.seconds(r.DurationMS)),
	}
	if r.FirstVerdictMS > 0 {
		lines = append(lines, w.T("details.first", "first", w.seconds(r.FirstVerdictMS)))
	}
	if r.Profile != "" {
		lines = append(lines, w.T("details.profile", "profile", Clean(r.Profile, 40)))
	}
	return lines
}

func (w Words) date(t time.Time) string {
	if w.Lang() == phrase.DE {
		return t.UTC().Format("02.01.2006, 15:04")
	}
	return t.UTC().Format("2 January 2006, 15:04")
}

func (w Words) seconds(ms int64) string {
	s := strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64)
	if w.Lang() == phrase.DE {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

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

// Section is one part of the details: a probe with its values, or a cause with its
// evidence.
type Section struct {
	Title string
	// State is set for a probe, Severity for a cause; they determine the mark.
	State    report.Status
	Severity report.Severity
	Lines    []string
}

// Found returns the causes of a report with their evidence.
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
			s.Lines = append(s.Lines, "  "+Clean(w.terms.Evidence(e), 200))
		}
	}
	if server := w.terms.Endpoint(c.Endpoint); server != "" {
		s.Lines = append(s.Lines, w.T("details.endpoint", "server", server))
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

// Measured returns the probes of a report with their important values. A missing
// value is described as "not checked".
func (w Words) Measured(r *report.Report) []Section {
	var all []Section
	for _, p := range r.Probes {
		s := Section{Title: w.Probe(p.Name), State: diagnose.Standing(p)}
		s.Lines = w.figures(w.terms.MediaPaths(r, p.Name))
		if figures := w.terms.Figures(p, report.Details); figures == nil {
			s.Lines = append(s.Lines, w.T("details.no_data"))
		} else {
			s.Lines = append(s.Lines, w.figures(figures)...)
		}
		if p.Error != "" {
			s.Lines = append(s.Lines, w.Note(p.Error))
		}
		all = append(all, s)
	}
	return all
}

func (w Words) figures(figures []diagnose.Figure) (lines []string) {
	for _, f := range figures {
		value := w.T("details.not_measured")
		if f.Value != "" {
			value = Clean(f.Value, 60)
		}
		lines = append(lines, w.T("details.value", "name", f.Name, "value", value))
	}
	return lines
}

// Values returns the values measured in a file, one per line.
func (w Words) Values(p report.Result) (lines []string) {
	for _, f := range w.terms.Figures(p, report.Analysis) {
		if f.Value != "" {
			lines = append(lines, Clean(f.Name+": "+f.Value, 200))
		}
	}
	return lines
}

// About returns when the check was made and how long it took.
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

// date formats a time in UTC, which the text around it mentions.
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

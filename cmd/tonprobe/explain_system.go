package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// systemCode is the JSON form of an error code of a conference system.
type systemCode struct {
	System string   `json:"system"`
	Code   string   `json:"code"`
	Also   []string `json:"also,omitempty"`
	Text   string   `json:"text,omitempty"`
	Means  string   `json:"means"`
	Older  string   `json:"older,omitempty"`
	Ask    string   `json:"ask"`
	Area   string   `json:"area"`
	Causes []string `json:"causes,omitempty"`
	// Measured is the comparison with the last check of this computer; nil in the list,
	// and if its reports cannot be read.
	Measured *weighedCode `json:"measured,omitempty"`
}

// weighedCode is the JSON form of the comparison of a code with a check.
type weighedCode struct {
	Answer   string                   `json:"answer"` // confirmed, refuted, open
	Why      string                   `json:"why"`
	Text     string                   `json:"text"`
	Case     string                   `json:"case,omitempty"`
	At       *time.Time               `json:"at,omitempty"`
	Version  string                   `json:"version,omitempty"` // of the conference server
	Cause    string                   `json:"cause,omitempty"`
	Evidence []report.Evidence        `json:"evidence,omitempty"`
	Steps    []report.ConferenceCheck `json:"steps,omitempty"`
	Probes   []string                 `json:"probes,omitempty"`
}

// freshFor is the time for which a check counts, as on the dashboard.
const freshFor = 24 * time.Hour

// explainSystem prints the meaning of a code that a caller reads out, and compares it
// with the last check of this computer. Without a code it lists the codes of the system.
func (p *program) explainSystem(ctx context.Context, s *settings, system, readOut string, asJSON bool) error {
	if readOut == "" {
		return p.explainSystemAll(system, asJSON)
	}
	_, number := systemcode.Parse(readOut)
	m, ok := systemcode.Lookup(system, number, p.lang)
	if !ok {
		return &usageError{key: "explain.unknown_number", args: []any{"code", readOut, "system", system}}
	}
	last, unread := p.lastReport(ctx, s)
	f := systemcode.Weigh(m.Code, systemcode.Measured{Report: last, Old: last != nil && time.Since(last.StartedAt) > freshFor})
	if asJSON {
		out := jsonOf(m)
		if unread == nil {
			out.Measured = p.weighed(f, last, system)
		}
		return p.printJSON(out)
	}
	fmt.Fprintf(p.out, "%s %s: %s\n\n%s\n", m.System, number, m.Text, m.Means)
	if m.Older != "" {
		fmt.Fprintln(p.out, m.Older)
	}
	fmt.Fprintf(p.out, "\n%s\n  %s\n", p.t("explain.hint"), m.Ask)
	if unread != nil {
		why, _ := p.explainFailure(unread)
		p.say("explain.unread", "why", why)
		return nil
	}
	fmt.Fprintf(p.out, "\n%s %s\n  %s\n", p.t("explain.measured"), f.Word(p.lang), f.Text(p.lang))
	return printProof(p.out, p, f, last, system)
}

// printProof prints the evidence of an answer.
func printProof(out io.Writer, p *program, f systemcode.Finding, last *report.Report, system string) error {
	w, err := words.In(p.lang)
	if err != nil {
		return err
	}
	terms := diagnose.Glossary{}.In(p.lang)
	line := func(text string) { fmt.Fprintf(out, "  - %s\n", words.Clean(text, 200)) }
	if text, ok := diagnose.ExplainCause(f.Cause, p.lang); ok {
		line(text.Sentence)
	}
	for _, e := range f.Evidence {
		line(terms.Evidence(e))
	}
	for _, s := range f.Steps {
		line(stepText(s, w, terms))
	}
	for _, name := range f.Probes {
		line(w.Probe(name) + ": " + w.State(report.StatusOK))
	}
	if v := systemcode.Version(system, last); v != "" {
		line(p.t("explain.version", "version", v))
	}
	if last != nil {
		line(p.t("explain.check", "case", last.Case, "at", last.StartedAt.Local().Format(timeLayout(p.lang))))
	}
	return nil
}

// timeLayout is how a day and a time are written.
func timeLayout(lang phrase.Lang) string {
	if lang == phrase.DE {
		return "02.01.2006, 15:04"
	}
	return "2 January 2006, 15:04"
}

// stepText returns a step with its status, code and duration. The text of a code that
// states the status replaces it.
func stepText(s report.ConferenceCheck, w words.Words, terms diagnose.Terms) string {
	state := w.State(s.Status)
	if s.Code != "" {
		if code := terms.Value(s.Code, ""); strings.HasPrefix(code, state) {
			state = code
		} else {
			state += ", " + code
		}
	}
	if s.MS != nil {
		state += ", " + terms.Value(math.Round(*s.MS), "ms")
	}
	return terms.Value(string(s.Name), "") + ": " + state
}

func (p *program) weighed(f systemcode.Finding, last *report.Report, system string) *weighedCode {
	w := &weighedCode{Answer: string(f.Answer), Why: string(f.Why), Text: f.Text(p.lang), Cause: f.Cause.Code,
		Evidence: f.Evidence, Steps: f.Steps, Probes: f.Probes, Version: systemcode.Version(system, last)}
	if last != nil {
		w.Case, w.At = last.Case, &last.StartedAt
	}
	return w
}

// lastReport returns the report of the last check of this computer that can be read; nil if
// there is none. The check may have been one of the service.
func (p *program) lastReport(ctx context.Context, s *settings) (*report.Report, error) {
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return nil, err
	}
	reports, err := station.OpenReports(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	entries, err := reports.All()
	if err != nil {
		return nil, err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		doc, err := reports.Read(entries[i])
		if err != nil {
			continue // removed in the meantime, or damaged
		}
		// The report of an event contains no measurement of the line.
		if r, err := report.Decode(doc); err == nil && r.Trigger != report.TriggerEvent {
			return r, nil
		}
	}
	return nil, nil
}

func (p *program) explainSystemAll(system string, asJSON bool) error {
	var all []systemCode
	for _, c := range systemcode.Codes(system) {
		m, _ := systemcode.Lookup(system, c.Number, p.lang)
		all = append(all, jsonOf(m))
	}
	if asJSON {
		return p.printJSON(all)
	}
	for _, c := range all {
		fmt.Fprintf(p.out, "%-6s %s\n", c.Code, c.Text)
	}
	return nil
}

func jsonOf(m systemcode.Meaning) systemCode {
	return systemCode{
		System: m.System, Code: m.Number, Also: m.Aliases, Text: m.Text, Means: m.Means, Older: m.Older,
		Ask: m.Ask, Area: string(m.Area), Causes: m.Causes,
	}
}

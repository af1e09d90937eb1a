package main

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// sheet is a report in the words of the check.
type sheet struct {
	Verdict  report.Verdict `json:"verdict"`
	Headline string         `json:"headline"`
	Cause    string         `json:"cause"`
	Action   string         `json:"action"`
	Untested string         `json:"untested"`
	More     string         `json:"more"`
	Case     string         `json:"case"`
	Sections []section      `json:"sections"`
}

type section struct {
	Title string   `json:"title"`
	State string   `json:"state"` // "" for a cause
	Lines []string `json:"lines"`
}

func sheetOf(r *report.Report, lang phrase.Lang) (sheet, error) {
	w, err := words.In(lang)
	if err != nil {
		return sheet{}, err
	}
	a := w.Answer(r)
	s := sheet{Verdict: r.Verdict, Headline: a.Headline, Cause: a.Cause, Action: a.Action, Untested: a.Untested, More: a.More, Case: r.Case}
	for _, one := range append(w.Found(r), w.Measured(r)...) {
		lines := section{Title: one.Title, Lines: one.Lines}
		if one.Severity == "" {
			lines.State = w.State(one.State)
		}
		s.Sections = append(s.Sections, lines)
	}
	return s, nil
}

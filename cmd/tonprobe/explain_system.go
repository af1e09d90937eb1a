package main

import (
	"fmt"

	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
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
}

// explainSystem prints the meaning of a code that a caller reads out, or lists the codes
// of a system.
func (p *program) explainSystem(system string, number []string, asJSON bool) error {
	if len(number) == 0 {
		return p.explainSystemAll(system, asJSON)
	}
	m, ok := systemcode.Lookup(system, number[0], p.lang)
	if !ok {
		return &usageError{key: "explain.unknown_number", args: []any{"code", number[0], "system", system}}
	}
	if asJSON {
		return p.printJSON(jsonOf(m))
	}
	fmt.Fprintf(p.out, "%s %s: %s\n\n%s\n", m.System, number[0], m.Text, m.Means)
	if m.Older != "" {
		fmt.Fprintln(p.out, m.Older)
	}
	fmt.Fprintf(p.out, "\n%s\n  %s\n", p.t("explain.hint"), m.Ask)
	return nil
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

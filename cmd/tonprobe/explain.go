package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
)

// explanation is the JSON form of a cause.
type explanation struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Area     string `json:"area"`
	Sentence string `json:"sentence"`
	Action   string `json:"action"`
	Hint     string `json:"hint"`
	Rule     string `json:"rule"`
}

// explain prints the meaning of a cause, or lists all causes.
func (p *program) explain(ctx context.Context, args []string) error {
	f := newFlags("explain")
	s := bindSettings(f)
	asJSON := f.Bool("json", false, "")
	positional, err := p.parse(f, args, 4)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return p.explainAll(*asJSON)
	}
	if system, ok := systemcode.Named(positional[0]); ok {
		return p.explainSystem(ctx, s, system, strings.Join(positional[1:], " "), *asJSON)
	}
	if len(positional) > 1 {
		return &usageError{key: "explain.unknown_system", args: []any{"system", positional[0], "systems", strings.Join(systemcode.Systems(), ", ")}}
	}
	d, ok := diagnose.Lookup(positional[0])
	if !ok {
		// "Fehler 1007", as a caller reads it out.
		if system, number := systemcode.Parse(positional[0]); number != "" {
			if _, known := systemcode.Lookup(system, number, p.lang); known && !strings.Contains(positional[0], ".") {
				return p.explainSystem(ctx, s, system, number, *asJSON)
			}
		}
		return &usageError{key: "explain.unknown", args: []any{"code", positional[0]}}
	}
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		return err
	}
	e := p.explanation(d, limits)
	if *asJSON {
		return p.printJSON(e)
	}
	fmt.Fprintf(p.out, "%s\n\n%s\n%s\n\n%s\n  %s\n%s\n  %s\n", e.Code, e.Sentence, e.Action,
		p.t("explain.hint"), e.Hint, p.t("explain.rule"), e.Rule)
	return nil
}

func (p *program) explanation(d diagnose.Definition, limits diagnose.Profile) explanation {
	t, _ := diagnose.ExplainBy(d.Code, p.lang, limits)
	return explanation{
		Code: d.Code, Severity: string(d.Severity), Area: string(d.Area),
		Sentence: t.Sentence, Action: t.Action, Hint: t.Hint, Rule: t.Rule,
	}
}

func (p *program) explainAll(asJSON bool) error {
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		return err
	}
	var all []explanation
	for _, d := range diagnose.Catalogue() {
		all = append(all, p.explanation(d, limits))
	}
	if asJSON {
		return p.printJSON(all)
	}
	for _, e := range all {
		fmt.Fprintf(p.out, "%-26s %s\n", e.Code, e.Sentence)
	}
	return nil
}

package words

import (
	"bytes"
	"fmt"
	"io"
	"regexp"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Summary writes a report in sentences, one per line, for a screen reader, a pipe
// or a log.
func Summary(out io.Writer, r *report.Report, lang phrase.Lang) error {
	w, err := In(lang)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, line := range w.Summary(r) {
		fmt.Fprintln(&b, line)
	}
	_, err = out.Write(b.Bytes())
	return err
}

// Summary returns the lines of the function Summary.
func (w Words) Summary(r *report.Report) []string {
	lines := append(w.Judgement(r), w.CaseLine(r, ""), "")
	return append(lines, w.InDetail(r)...)
}

// Judgement returns the answer with what was not tested, without the case code.
func (w Words) Judgement(r *report.Report) []string {
	a := w.Answer(r)
	lines := w.told(r)
	for _, extra := range []string{a.Untested, a.Conference, a.Loudspeaker, a.More} {
		if extra != "" {
			lines = append(lines, extra)
		}
	}
	return lines
}

// InDetail returns the result of each probe, and the evidence.
func (w Words) InDetail(r *report.Report) []string {
	lines := []string{w.T("plain.checks")}
	for _, p := range r.Probes {
		lines = append(lines, w.T("plain.done", "probe", w.Probe(p.Name), "state", w.State(diagnose.Standing(p))))
	}
	if summary := w.terms.Summary(r); summary != nil {
		lines = append(lines, "")
		for _, sentence := range summary {
			lines = append(lines, w.Aloud(Clean(sentence, 200)))
		}
	}
	return append(lines, w.proofs(r)...)
}

// Brief returns only headline, cause, action and case code.
func (w Words) Brief(r *report.Report, d Delivery) []string {
	return append(w.told(r), w.CaseLine(r, d))
}

// CaseLine returns the case code, and whether support can find it.
func (w Words) CaseLine(r *report.Report, d Delivery) string {
	code := Clean(r.Case, 12)
	return w.T("code_line."+string(d.Findable()), "code", code, "spelled", w.Spell(code))
}

// Finding returns the answer and its evidence without a case code, for an analysis
// that is not a check.
func (w Words) Finding(r *report.Report) []string {
	lines := w.told(r)
	if more := w.Answer(r).More; more != "" {
		lines = append(lines, more)
	}
	return append(lines, w.proofs(r)...)
}

func (w Words) told(r *report.Report) []string {
	a := w.Answer(r)
	action := a.Action
	if r.Verdict != report.Ready {
		action = w.T("plain.action", "text", action)
	}
	return []string{w.T("plain.result", "headline", a.Headline), a.Cause, action}
}

// proofs returns the evidence of all causes in words. It names the causes other
// than the primary one, which the answer only counts.
func (w Words) proofs(r *report.Report) []string {
	var lines []string
	for _, c := range r.Causes {
		if text, ok := diagnose.ExplainCause(c, w.Lang()); ok && !c.Primary {
			lines = append(lines, text.Sentence)
		}
		for _, e := range c.Evidence {
			lines = append(lines, w.Aloud(Clean(w.terms.Evidence(e), 200)))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{"", w.T("plain.evidence")}, lines...)
}

var (
	reUnit  = regexp.MustCompile(`(\d)[ \x{00a0}](ms|%|dBFS|dB|Hz)($|[^\pL])`)
	reMinus = regexp.MustCompile(`(^|[\s(<>])[-−](\d[\d.,]*)`)
)

// unitKeys are the keys of units in words. Screen readers spell abbreviations or
// omit them.
var unitKeys = map[string]string{"ms": "unit.ms", "%": "unit.pct", "dBFS": "unit.dbfs", "dB": "unit.db", "Hz": "unit.hz"}

// Aloud replaces signs and units by words, because screen readers omit a minus and
// spell abbreviations.
func (w Words) Aloud(line string) string {
	line = reUnit.ReplaceAllStringFunc(line, func(hit string) string {
		part := reUnit.FindStringSubmatch(hit)
		return part[1] + " " + w.T(unitKeys[part[2]]) + part[3]
	})
	return reMinus.ReplaceAllStringFunc(line, func(hit string) string {
		part := reMinus.FindStringSubmatch(hit)
		return part[1] + w.T("plain.minus", "value", part[2])
	})
}

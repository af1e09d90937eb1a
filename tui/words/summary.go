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

// Summary writes a report in sentences, one a line, for a screen reader, a
// pipe or a log.
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

// Summary is the lines of the function Summary.
func (w Words) Summary(r *report.Report) []string {
	lines := append(w.Judgement(r), w.CaseLine(r, ""), "")
	return append(lines, w.InDetail(r)...)
}

// Judgement is the answer with what was left open, without the case code.
func (w Words) Judgement(r *report.Report) []string {
	a := w.Answer(r)
	lines := w.told(r)
	for _, extra := range []string{a.Untested, a.Loudspeaker, a.More} {
		if extra != "" {
			lines = append(lines, extra)
		}
	}
	return lines
}

// InDetail is every probe's outcome, and the evidence.
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

// Brief is the answer alone: headline, cause, action and case code.
func (w Words) Brief(r *report.Report, d Delivery) []string {
	return append(w.told(r), w.CaseLine(r, d))
}

// CaseLine names the case code, and says when support cannot find it.
func (w Words) CaseLine(r *report.Report, d Delivery) string {
	code := Clean(r.Case, 12)
	return w.T("code_line."+string(d.Findable()), "code", code, "spelled", w.Spell(code))
}

// Finding is the answer and its evidence, without a case code, for what is no check
// but is judged like one.
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

// proofs is the evidence of all causes, said in words. The causes beside the
// primary one, of which only the number was said so far, are named with theirs.
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

// unitKeys are the texts of units; the abbreviations are read out letter by
// letter or not at all.
var unitKeys = map[string]string{"ms": "unit.ms", "%": "unit.pct", "dBFS": "unit.dbfs", "dB": "unit.db", "Hz": "unit.hz"}

// Aloud writes signs and units out, since screen readers swallow a minus and
// spell an abbreviation.
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

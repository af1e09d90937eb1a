package page

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/bigcode"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Verdict shows the answer, what to do, and the case code.
type Verdict struct {
	Report   *report.Report
	Delivery words.Delivery
}

// View draws the page.
func (p Verdict) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	a := w.Answer(p.Report)
	mark := s.Style.Verdict(p.Report.Verdict)

	headline := mark.Style.Render(hanging(mark.Sign+"  ", a.Headline, width))
	action := s.Style.Strong.Render(wrap(a.Action, width))
	if p.Report.Verdict != report.Ready {
		action = s.Style.Accent.Render(wrap(w.T("verdict.action"), width)) + "\n" + action
	}
	code := words.Clean(p.Report.Case, 12)

	return s.frame(w.T("verdict.step"), []Block{
		{Text: headline},
		{Text: indent(wrap(a.Cause, width-3), 3)},
		{Text: action},
		{Text: notes(s, a.Untested, a.More), Spare: 1},
		{Text: s.Style.Accent.Render(w.T("verdict.case"))},
		{Text: p.code(s, code), Close: !s.tall()},
		{Text: s.Style.Quiet.Render(wrap(w.T("verdict.spelled", "spelled", w.Spell(code)), width)), Spare: 2},
		{Text: wrap(w.Delivery(p.Delivery), width), Spare: 1},
	}, k.Details, k.Repeat, k.Quit)
}

// code is the case code as large as the screen allows without pushing the
// sentences out.
func (p Verdict) code(s Sheet, code string) string {
	height := 1
	switch {
	case s.tall():
		height = 7
	case s.Height >= 20:
		height = 4
	}
	return bigcode.Render(code, s.content(), height, s.Style.Strong)
}

// notes are lines that are empty or not.
func notes(s Sheet, lines ...string) string {
	var kept []string
	for _, line := range lines {
		if line != "" {
			kept = append(kept, s.Style.Quiet.Render(wrap(line, s.content())))
		}
	}
	return strings.Join(kept, "\n")
}

// hanging sets text behind a sign, its further lines below its first.
func hanging(sign, text string, width int) string {
	n := len([]rune(sign))
	body := indent(wrap(text, width-n), n)
	return sign + strings.TrimPrefix(body, strings.Repeat(" ", n))
}

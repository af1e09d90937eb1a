package page

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/bigcode"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Verdict shows the verdict, the action, and the case code.
type Verdict struct {
	Report   *report.Report
	Delivery words.Delivery
	// Elsewhere is the microphone to change to; the zero value if there is none.
	Elsewhere Elsewhere
	Replay    Replay
	// Phone is the phone number of support; "" if unknown.
	Phone string
	// Withdrawn is set if phone support has withdrawn the check that it had requested.
	Withdrawn bool
	// Settings is set if a key opens the system's sound settings.
	Settings bool
	// Disturbance is the offer to report a disturbance in a session.
	Disturbance Disturbance
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
	cause := a.Cause
	if p.Elsewhere.Found() { // with the local names, which never leave this computer
		cause = p.Elsewhere.Sentence(w) + " " + w.T("elsewhere.offer")
	}
	k.Switch.SetEnabled(p.Elsewhere.Found())
	k.Listen.SetEnabled(p.Replay.Held())
	k.Settings.SetEnabled(p.Settings)
	k.Disturbance.SetEnabled(p.Disturbance.Offered())
	code := words.Clean(p.Report.Case, 12)
	findable := p.Delivery.Findable()
	spelled := Block{Text: s.Style.Quiet.Render(wrap(w.T("verdict.spelled", "spelled", w.Spell(code)), width)), Spare: 2}
	large := Block{Text: p.code(s, code), Close: !s.tall(), Pin: true}
	if findable == words.FindableNever {
		// Support cannot find this code, so the page does not spell it for the phone.
		spelled, large = Block{}, Block{Text: s.Style.Quiet.Render(code), Close: true, Pin: true}
	}

	var withdrawn string
	if p.Withdrawn {
		withdrawn = s.Style.Quiet.Render(wrap(w.T("request.withdrawn"), width))
	}
	return s.frame(w.T("verdict.step"), []Block{
		{Text: withdrawn, Spare: 1},
		{Text: headline},
		{Text: indent(wrap(cause, width-3), 3)},
		{Text: action},
		{Text: notes(s, a.Heard, a.Untested, a.Conference, a.Measured, a.Loudspeaker, a.More), Spare: 1},
		{Text: s.Style.Accent.Render(wrap(w.T("code_title."+string(findable)), width)), Pin: true},
		large,
		p.phone(s),
		spelled,
		{Text: wrap(w.Delivery(p.Delivery), width), Spare: 1},
		p.replay(s),
		p.Disturbance.block(s),
	}, k.Switch, k.Disturbance, k.Settings, k.Details, k.Repeat, k.Listen, k.Quit)
}

// phone returns the phone number, next to the code that support asks for.
func (p Verdict) phone(s Sheet) Block {
	if p.Phone == "" {
		return Block{}
	}
	return Block{Text: s.Style.Strong.Render(wrap(s.Words.T("verdict.phone", "number", p.Phone), s.content())), Close: true, Pin: true}
}

// replay describes the state of the kept seconds. The offer may be omitted on a small
// screen, because the key is listed below; the result of the key may not.
func (p Verdict) replay(s Sheet) Block {
	b := Block{Text: s.Style.Quiet.Render(wrap(p.Replay.Sentence(s.Words), s.content()))}
	if p.Replay == ReplayKept || p.Replay == ReplayErased {
		b.Spare = 3
	}
	return b
}

// code draws the case code as large as possible without displacing the sentences.
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

// notes joins the lines that are not empty.
func notes(s Sheet, lines ...string) string {
	var kept []string
	for _, line := range lines {
		if line != "" {
			kept = append(kept, s.Style.Quiet.Render(wrap(line, s.content())))
		}
	}
	return strings.Join(kept, "\n")
}

// hanging places text after a sign, with further lines indented.
func hanging(sign, text string, width int) string {
	n := len([]rune(sign))
	body := indent(wrap(text, width-n), n)
	return sign + strings.TrimPrefix(body, strings.Repeat(" ", n))
}

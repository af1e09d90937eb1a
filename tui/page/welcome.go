package page

import (
	"strings"

	"github.com/tonprobe/tonprobe/tui/words"
)

// Consent describes what will be measured and sent.
type Consent struct {
	// NoAudio is set if the microphone is not used.
	NoAudio bool
	// Recipient is the host that receives the report; empty when none does.
	Recipient string
	// Declined is set if the participant requested that nothing be sent.
	Declined bool
	// Replay is set if the last seconds are kept in memory for playback.
	Replay bool
	// Others is set if the other microphones are recorded as well.
	Others bool
}

// Welcome describes the check and asks for consent.
type Welcome struct {
	Consent
	// Notice is a line to show; "" for none.
	Notice      string
	Loudspeaker Loudspeaker
	// Enrolled is the name of the person for whom this computer has just been enrolled.
	Enrolled string
	// OffersEnrolment is set if a code can still be entered.
	OffersEnrolment bool
	// OffersOwn is set if a key shows where the participant sees what is stored about them.
	OffersOwn bool
	// Disturbance is the offer to report a disturbance in a session.
	Disturbance Disturbance
}

// View draws the page.
func (p Welcome) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	k.Loudspeaker.SetEnabled(p.Loudspeaker.Offered)
	measures := s.Style.Text.Render(wrap(w.T("welcome.measures"), width))
	for _, line := range p.Measures(w) {
		measures += "\n" + bullet("•", line, width)
	}
	privacy := s.Style.Strong.Render(wrap(p.Privacy(w)[0], width))
	for _, line := range p.Privacy(w)[1:] {
		privacy += "\n" + wrap(line, width)
	}
	k.Enrol.SetEnabled(p.OffersEnrolment)
	k.Disturbance.SetEnabled(p.Disturbance.Offered())
	k.Own.SetEnabled(p.OffersOwn)
	var enrolled string
	if p.Enrolled != "" {
		enrolled = s.Style.Good.Render(hanging("✓  ", w.T("enrol.done", "participant", words.Clean(p.Enrolled, 80)), width))
	}
	blocks := []Block{
		{Text: enrolled, Spare: 1},
		{Text: s.Style.Accent.Render(wrap(w.T("welcome.title"), width))},
		{Text: wrap(p.Intro(w), width)},
		{Text: measures, Spare: 1},
		{Text: privacy},
		{Text: p.sending(s)},
	}
	if p.Notice != "" {
		blocks = append(blocks, Block{Text: wrap(p.Notice, width), Spare: 1})
	}
	return s.frame(w.T("welcome.step"), append(append(blocks, p.Loudspeaker.blocks(s)...), p.Disturbance.block(s)), k.Start, k.Disturbance, k.Enrol, k.Loudspeaker, k.Own, k.Quit)
}

// Intro returns how long the check takes and what to do.
func (c Consent) Intro(w words.Words) string {
	if c.NoAudio {
		return w.T("welcome.intro_no_audio")
	}
	return w.T("welcome.intro")
}

// Measures returns what is measured.
func (c Consent) Measures(w words.Words) []string {
	switch {
	case c.NoAudio:
		return []string{w.T("welcome.measure_line")}
	case c.Others:
		return []string{w.T("welcome.measure_voice"), w.T("welcome.measure_others"), w.T("welcome.measure_line")}
	}
	return []string{w.T("welcome.measure_voice"), w.T("welcome.measure_line")}
}

// Privacy returns what happens to the recording.
func (c Consent) Privacy(w words.Words) []string {
	switch {
	case c.NoAudio:
		return []string{w.T("welcome.privacy_no_audio")}
	case c.Replay:
		return []string{w.T("welcome.privacy"), w.T("welcome.privacy_replay")}
	}
	return []string{w.T("welcome.privacy"), w.T("welcome.privacy_how")}
}

// Sending returns what is sent and to whom; recipient is empty if nothing is.
func (c Consent) Sending(w words.Words) (sentence, recipient string) {
	switch {
	case c.Declined:
		return w.T("welcome.sends_declined"), ""
	case c.Recipient == "":
		return w.T("welcome.sends_nothing"), ""
	}
	return w.T("welcome.sends"), words.Clean(c.Recipient, 80)
}

func (p Welcome) sending(s Sheet) string {
	sentence, recipient := p.Sending(s.Words)
	text := wrap(sentence, s.content())
	if recipient != "" {
		text += "\n" + s.Style.Strong.Render(wrap(recipient, s.content()))
	}
	return text
}

// bullet places text after a sign, with further lines indented.
func bullet(sign, text string, width int) string {
	lines := strings.Split(wrap(text, width-4), "\n")
	for i := range lines {
		if i == 0 {
			lines[i] = "  " + sign + " " + lines[i]
		} else {
			lines[i] = "    " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

package page

import (
	"strings"

	"github.com/tonprobe/tonprobe/tui/words"
)

// Consent is what a person is told before anything is measured.
type Consent struct {
	// NoAudio is set when the microphone stays off.
	NoAudio bool
	// Recipient is the host that receives the report; empty when none does.
	Recipient string
	// Declined is set when the participant asked that nothing be sent.
	Declined bool
	// Replay is set when the last seconds are kept in memory for the speaker.
	Replay bool
	// Others is set when the other microphones are listened to as well.
	Others bool
}

// Welcome says what will happen and asks for consent.
type Welcome struct {
	Consent
	Loudspeaker Loudspeaker
	// Enrolled is the name of the person for whom this computer was just enrolled.
	Enrolled string
	// OffersEnrolment is set where a code can still be typed.
	OffersEnrolment bool
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
	return s.frame(w.T("welcome.step"), append(blocks, p.Loudspeaker.blocks(s)...), k.Start, k.Enrol, k.Loudspeaker, k.Quit)
}

// Intro says how long it takes and what there is to do.
func (c Consent) Intro(w words.Words) string {
	if c.NoAudio {
		return w.T("welcome.intro_no_audio")
	}
	return w.T("welcome.intro")
}

// Measures says what is measured.
func (c Consent) Measures(w words.Words) []string {
	switch {
	case c.NoAudio:
		return []string{w.T("welcome.measure_line")}
	case c.Others:
		return []string{w.T("welcome.measure_voice"), w.T("welcome.measure_others"), w.T("welcome.measure_line")}
	}
	return []string{w.T("welcome.measure_voice"), w.T("welcome.measure_line")}
}

// Privacy says what becomes of the sound.
func (c Consent) Privacy(w words.Words) []string {
	switch {
	case c.NoAudio:
		return []string{w.T("welcome.privacy_no_audio")}
	case c.Replay:
		return []string{w.T("welcome.privacy"), w.T("welcome.privacy_replay")}
	}
	return []string{w.T("welcome.privacy"), w.T("welcome.privacy_how")}
}

// Sending says what is sent, and to whom; recipient is empty when nothing is.
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

// bullet sets text behind a sign, its further lines below its first.
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

package page

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
)

// Trouble returns the cause to show during the check, and whether there is one that is more
// specific than the coach's advice. The coach processes every reading, so it reacts first when
// the voice gets louder or no sound arrives; only the diagnosis states the reason.
func (p Checking) Trouble() (report.Cause, bool) {
	c, named := p.live.Cause()
	if !named || !p.outranksAdvice(c.Code) {
		return report.Cause{}, false
	}
	return c, true
}

func (p Checking) outranksAdvice(code string) bool {
	if p.Heard() {
		return p.Advice() != meter.Tone
	}
	advice := p.coach.Advice()
	cause, _ := diagnose.Lookup(code)
	switch {
	case cause.Meter == diagnose.MeterLevel:
		return false
	case cause.Meter == diagnose.MeterNoSpeech:
		return advice == meter.Speak
	case advice == meter.Muted:
		return explains(code, func(d diagnose.Definition) bool { return d.Meter == diagnose.MeterMuted })
	case advice == meter.NoSound:
		return explains(code, func(d diagnose.Definition) bool { return d.Meter == diagnose.MeterNoSound })
	}
	return true
}

// Heard reports whether the measurement of the microphone is complete.
func (p Checking) Heard() bool { return p.probes.Done(report.ProbeAudioInput) }

// explains reports whether is holds for the cause, or for one that the cause suppresses.
func explains(cause string, is func(diagnose.Definition) bool) bool {
	return slices.ContainsFunc(diagnose.Catalogue(), func(d diagnose.Definition) bool {
		return is(d) && (cause == d.Code || slices.Contains(d.SuppressedBy, cause))
	})
}

// troubleBlocks describe the cause and the action. The acknowledgement of a complete
// reading remains above them.
func (p Checking) troubleBlocks(s Sheet, c report.Cause) []Block {
	sentence, action := s.Words.Live(c, p.Profile)
	look, sign := s.Style.Caution, "!"
	if c.Severity == report.SeverityFail {
		look, sign = s.Style.Bad, "✗"
	}
	width := s.content()
	said := look.Render(hanging(sign+" ", sentence, width))
	blocks := []Block{
		{Text: p.besideRemaining(s, said, width)},
		{Text: s.Style.Strong.Render(indent(wrap(action, width-2), 2)), Close: true},
	}
	if p.Advice() == meter.Finished {
		return append([]Block{{Text: p.adviceLine(s, width)}}, blocks...)
	}
	return blocks
}

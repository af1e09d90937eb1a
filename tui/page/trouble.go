package page

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
)

// Trouble is the cause to name while the check runs, and whether there is one
// that is more to the point than the coach's advice. The coach hears every
// reading and so knows first that the voice got louder or that no sound comes;
// the diagnosis knows why.
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
	switch {
	case code == "audio.too_quiet", code == "audio.too_loud":
		return false
	case code == "audio.no_speech":
		return advice == meter.Speak
	case advice == meter.Muted:
		return explains(code, "audio.os_muted")
	case advice == meter.NoSound:
		return explains(code, "audio.digital_silence")
	}
	return true
}

// Heard reports whether the microphone has been measured to its end.
func (p Checking) Heard() bool { return p.probes.Done(report.ProbeAudioInput) }

// explains reports whether a cause is another one, or what that one comes from.
func explains(cause, other string) bool {
	d, _ := diagnose.Lookup(other)
	return cause == other || slices.Contains(d.SuppressedBy, cause)
}

// troubleBlocks say what disturbs and what to do. The thanks that end the
// reading stay above it.
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

package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/component/probelist"
)

// readingTexts is the number of texts to read aloud, and textFor how long one
// of them lasts; a longer speech goes on with the next.
const (
	readingTexts = 4
	textFor      = 9 * time.Second
)

// Checking shows the running check: a text to read, the meter, and how far the
// probes have come.
type Checking struct {
	// NoAudio is set when the microphone stays off.
	NoAudio  bool
	speakFor time.Duration
	round    int
	probes   probelist.List
	level    meter.Level
	coach    meter.Coach
	heardAt  time.Time // since when sound arrives
	now      time.Time
}

// NewChecking begins a check; round counts the checks, so that each has
// another text to read.
func NewChecking(noAudio bool, speakFor time.Duration, round int) Checking {
	return Checking{NoAudio: noAudio, speakFor: speakFor, round: round}
}

// Take notes an event of the running check.
func (p Checking) Take(e probe.Event, now time.Time) Checking {
	p = p.At(now)
	p.probes = p.probes.Take(e)
	if e.Probe != report.ProbeAudioInput {
		return p
	}
	switch e.Kind {
	case probe.EventListening:
		p.heardAt = now
		p.coach = p.coach.Listen(now)
	case probe.EventLevel:
		if p.heardAt.IsZero() {
			p.heardAt = now
		}
		p.level = p.level.Hear(e.Level, now)
		p.coach = p.coach.Hear(e.Level, now)
	case probe.EventDone:
		p.coach = p.coach.Finish(lastAdvice(e.Result, p.coach.Advice()))
	}
	return p
}

// lastAdvice is what stays on the screen once the microphone is done. That no
// sound came is still true then.
func lastAdvice(r *report.Result, before meter.Advice) meter.Advice {
	switch {
	case r == nil, r.Status == report.StatusUnknown, r.Status == report.StatusSkipped:
		return meter.NoMicrophone
	case before == meter.NoSound:
		return meter.NoSound
	}
	return meter.Finished
}

// At lets time pass.
func (p Checking) At(now time.Time) Checking {
	p.now = now
	p.level = p.level.Fall(now)
	return p
}

// Advice is what to tell the person now.
func (p Checking) Advice() meter.Advice { return p.coach.Advice() }

// TextKey is the key of the text to read aloud.
func (p Checking) TextKey() string {
	n := p.round
	if !p.heardAt.IsZero() {
		n += int(p.now.Sub(p.heardAt) / textFor)
	}
	return fmt.Sprintf("read.text%d", n%readingTexts+1)
}

// View draws the page.
func (p Checking) View(s Sheet, k Keys) string {
	voice := s.content()
	if voice >= sideBySide {
		voice = s.content()*3/5 - wideGutter
	}
	probes := Block{Text: p.list(s)}
	if p.NoAudio {
		wait := Block{Text: s.Style.Strong.Render(wrap(s.Words.T("check.quiet"), s.content()))}
		return s.frame(s.Words.T("check.step"), []Block{wait, probes}, k.Cancel)
	}
	left := p.voice(s, voice)
	if voice == s.content() {
		return s.frame(s.Words.T("check.step"), append(left, probes), k.Cancel)
	}
	column := lipgloss.NewStyle().Width(voice + wideGutter).Render(join(left, len(left)-1))
	both := lipgloss.JoinHorizontal(lipgloss.Top, column, probes.Text)
	return s.frame(s.Words.T("check.step"), []Block{{Text: both}}, k.Cancel)
}

// voice is what belongs to the microphone: text, meter, advice.
func (p Checking) voice(s Sheet, width int) []Block {
	w := s.Words
	invite := w.T("check.read")
	if p.heardAt.IsZero() && p.coach.Advice() == meter.Opening {
		invite = w.T("check.ready_to_read")
	}
	text := s.Style.Strong.Render(indent(wrap(w.T(p.TextKey()), width-2), 2))
	labels := meter.Labels{Quiet: w.T("zone.quiet"), Good: w.T("zone.good"), Loud: w.T("zone.loud")}
	return []Block{
		{Text: s.Style.Accent.Render(wrap(invite, width))},
		{Text: text},
		{Text: p.levelLine(s, width)},
		{Text: meter.Bar(p.level, width, s.Style, labels), Close: true},
		{Text: p.adviceLine(s, width)},
	}
}

func (p Checking) levelLine(s Sheet, width int) string {
	name := s.Words.T("check.level")
	value := ""
	if dbfs, ok := p.level.Value(); ok {
		value = strings.Replace(fmt.Sprintf("%.0f dBFS", math.Round(dbfs)+0), "-", "−", 1)
		if dbfs <= meter.FloorDBFS {
			value = "< " + value
		}
	}
	return spread(name, s.Style.Quiet.Render(value), width)
}

func (p Checking) adviceLine(s Sheet, width int) string {
	advice := p.coach.Advice()
	text := s.Words.T("advice." + string(advice))
	remaining := p.remaining(s)
	look := s.Style.Strong
	sign := "▸"
	switch advice {
	case meter.NoSound:
		look, sign = s.Style.Bad, "✗"
	case meter.Louder, meter.Softer:
		look, sign = s.Style.Caution, "!"
	case meter.Good, meter.Finished:
		look, sign = s.Style.Good, "✓"
	case meter.NoMicrophone:
		sign = "?"
	}
	line := look.Render(sign + " " + text)
	if lipgloss.Width(line)+lipgloss.Width(remaining)+2 > width {
		return look.Render(wrap(sign+" "+text, width))
	}
	return spread(line, s.Style.Quiet.Render(remaining), width)
}

// remaining says how long to go on speaking; empty when nobody has to.
func (p Checking) remaining(s Sheet) string {
	if p.heardAt.IsZero() || p.probes.Done(report.ProbeAudioInput) {
		return ""
	}
	left := int(math.Ceil((p.speakFor - p.now.Sub(p.heardAt)).Seconds()))
	if left < 1 {
		return ""
	}
	return s.Words.Remaining(left)
}

func (p Checking) list(s Sheet) string {
	if p.probes.Len() == 0 {
		return ""
	}
	return s.Style.Accent.Render(s.Words.T("check.probes")) + "\n" + p.probes.View(s.content(), s.Style, s.Words)
}

// spread sets left and right to the two ends of a line.
func spread(left, right string, width int) string {
	if right == "" {
		return left
	}
	return left + strings.Repeat(" ", max(1, width-lipgloss.Width(left)-lipgloss.Width(right))) + right
}

func indent(text string, by int) string {
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
}

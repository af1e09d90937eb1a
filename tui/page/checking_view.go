package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/component/probelist"
)

// The columns of the page in cells. A standard terminal of 80 columns has room for
// both, with the short wording of the list.
const (
	gutter      = 3
	briefFrom   = 72 // content of this width includes the list with short wording
	inFullFrom  = 96 // and of this width with full wording
	fullColumn  = 46
	ruleOfLists = "│"
)

// View draws the page: the voice on the left, the list on the right or below, and
// messages over the whole width.
func (p Checking) View(s Sheet, k Keys) string {
	w := s.Words
	k.Switch.SetEnabled(p.elsewhere.Found())
	if p.NoAudio {
		wait := Block{Text: s.Style.Strong.Render(wrap(w.T("check.quiet"), s.content()))}
		return s.frame(w.T("check.step"), []Block{wait, {Text: p.listBelow(s)}}, k.Cancel)
	}
	said := p.said(s)
	right := p.listBeside(s)
	if right == "" {
		blocks := append(p.voice(s, s.content()), said...)
		return s.frame(w.T("check.step"), append(blocks, Block{Text: p.listBelow(s), Spare: 1}), k.Switch, k.Cancel)
	}
	voice := s.content() - lipgloss.Width(right)
	left := p.voice(s, voice)
	column := lipgloss.NewStyle().Width(voice).Render(join(left, gaps(left)))
	both := lipgloss.JoinHorizontal(lipgloss.Top, column, right)
	return s.frame(w.T("check.step"), append([]Block{{Text: both}}, said...), k.Switch, k.Cancel)
}

// said returns the one message for the person now.
func (p Checking) said(s Sheet) []Block {
	trouble, found := p.Trouble()
	switch {
	case p.offersOther():
		return []Block{{Text: p.elsewhereLine(s)}}
	case found:
		return p.troubleBlocks(s, trouble)
	}
	return []Block{{Text: p.adviceLine(s, s.content())}}
}

// voice returns the text to read and the level meter.
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
		{Text: p.levelLine(s, width), Spare: 1},
		{Text: meter.Bar(p.level, width, s.Style, labels), Close: true, Pin: true},
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
	advice := p.Advice()
	text := s.Words.T("advice." + string(advice))
	look := s.Style.Strong
	sign := "▸"
	switch advice {
	case meter.NoSound, meter.Muted:
		look, sign = s.Style.Bad, "✗"
	case meter.Louder, meter.Softer:
		look, sign = s.Style.Caution, "!"
	case meter.Good, meter.Finished:
		look, sign = s.Style.Good, "✓"
	case meter.NoMicrophone:
		sign = "?"
	}
	return p.besideRemaining(s, look.Render(hanging(sign+" ", text, width)), width)
}

// besideRemaining appends the remaining time if there is room.
func (p Checking) besideRemaining(s Sheet, said string, width int) string {
	left := p.remaining()
	if left == 0 {
		return said
	}
	remaining := s.Words.Remaining(left)
	if lipgloss.Height(said) > 1 || lipgloss.Width(said)+lipgloss.Width(remaining)+2 > width {
		return said
	}
	return spread(said, s.Style.Quiet.Render(remaining), width)
}

// offersOther reports whether the other microphone is the message: a person who speaks
// into it does not need the advice to speak louder.
func (p Checking) offersOther() bool {
	if c, found := p.Trouble(); found && explains(c.Code, func(d diagnose.Definition) bool { return d.OtherMicrophone }) {
		return false // a muted microphone need not be replaced
	}
	switch p.Advice() {
	case meter.Opening, meter.Speak, meter.Louder, meter.NoSound:
		return p.elsewhere.Found()
	}
	return false
}

// elsewhereLine mentions the other microphone; the check continues.
func (p Checking) elsewhereLine(s Sheet) string {
	text := p.elsewhere.Sentence(s.Words) + " " + s.Words.T("elsewhere.live")
	return s.Style.Strong.Render(hanging("▸ ", text, s.content()))
}

// listBeside returns the list as a column after a rule; empty if there is no room.
func (p Checking) listBeside(s Sheet) string {
	width, draw := probelist.BriefWidth, p.probes.Brief
	switch {
	case s.content() >= inFullFrom:
		width, draw = fullColumn, p.probes.View
	case s.content() < briefFrom:
		return ""
	}
	if p.probes.Len() == 0 {
		return strings.Repeat(" ", gutter+width)
	}
	head := s.Style.Accent.Render(s.Words.T("check.probes"))
	lines := strings.Split(head+"\n\n"+draw(width, s.Style, s.Words), "\n")
	for i, line := range lines {
		lines[i] = s.Style.Quiet.Render(" "+ruleOfLists+" ") + line
	}
	return lipgloss.NewStyle().Width(gutter + width).Render(strings.Join(lines, "\n"))
}

func (p Checking) listBelow(s Sheet) string {
	if p.probes.Len() == 0 {
		return ""
	}
	return s.Style.Accent.Render(s.Words.T("check.probes")) + "\n" + p.probes.View(s.content(), s.Style, s.Words)
}

// spread aligns left and right to the two ends of a line.
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

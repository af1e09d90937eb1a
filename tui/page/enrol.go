package page

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/tui/words"
)

// maxTyped is far above a link, in characters.
const maxTyped = 1024

// Enrol asks for the code or the link of an invitation, and then, where that is
// missing, for the address it is for.
type Enrol struct {
	// Code is what was typed first, and Address what was typed at the second
	// question.
	Code, Address string
	// AsksAddress is set while the second question stands.
	AsksAddress bool
	// Busy is set while the collector is asked.
	Busy bool
	// Problem says what was wrong with the last try.
	Problem string
}

// Type adds what a person typed or pasted. A wrapped link keeps its parts: the
// line breaks are dropped where the link is read.
func (p Enrol) Type(text string) Enrol {
	return p.edit(func(s string) string {
		var b strings.Builder
		b.WriteString(s)
		for _, r := range text {
			if unicode.IsSpace(r) {
				r = ' '
			}
			if unicode.IsPrint(r) && b.Len() < maxTyped {
				b.WriteRune(r)
			}
		}
		return b.String()
	})
}

// Erase takes the last character back.
func (p Enrol) Erase() Enrol {
	return p.edit(func(s string) string {
		r := []rune(s)
		return string(r[:max(0, len(r)-1)])
	})
}

// Clear empties the field.
func (p Enrol) Clear() Enrol { return p.edit(func(string) string { return "" }) }

func (p Enrol) edit(change func(string) string) Enrol {
	p.Problem = ""
	if p.AsksAddress {
		p.Address = change(p.Address)
	} else {
		p.Code = change(p.Code)
	}
	return p
}

// Typed is what stands in the field.
func (p Enrol) Typed() string {
	if p.AsksAddress {
		return strings.TrimSpace(p.Address)
	}
	return strings.TrimSpace(p.Code)
}

// View draws the page.
func (p Enrol) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	title, ask, hint := w.T("enrol.title"), w.T("enrol.ask"), w.T("enrol.without")
	if p.AsksAddress {
		title, ask, hint = w.T("enrol.address"), w.T("enrol.ask_address"), ""
		k.Skip.SetHelp(k.Skip.Help().Key, w.T("key.back"))
	}
	var note string
	help := Block{Text: wrap(ask, width)}
	switch {
	case p.Busy:
		note = s.Style.Accent.Render(wrap(w.T("enrol.busy"), width))
	case p.Problem != "":
		note = s.Style.Bad.Render(hanging("✗  ", p.Problem, width))
		help.Spare = 1 // a small screen keeps what was wrong
	default:
		note = s.Style.Quiet.Render(wrap(hint, width))
	}
	return s.frame(w.T("enrol.step"), []Block{
		{Text: s.Style.Accent.Render(wrap(title, width))},
		help,
		{Text: p.field(s), Pin: true},
		{Text: note},
	}, k.Confirm, k.Skip, k.Leave)
}

// field is the box with what was typed. A code stands in spaced capitals, as it
// stands on paper; of a link too long for the box its end is shown, which is
// where the typing goes on.
func (p Enrol) field(s Sheet) string {
	const cursor, frame = "▏", 4 // frame: the sides of the box and a blank each
	width := max(1, min(s.content(), 64)-frame)
	text := words.Clean(p.Typed(), maxTyped)
	if spaced := strings.Join(strings.Split(strings.ToUpper(text), ""), " "); !p.AsksAddress && !strings.Contains(text, ":") && lipgloss.Width(spaced) < width {
		text = spaced
	}
	lines := strings.Split(wrap(text+cursor, width), "\n")
	const most = 3
	lines = lines[max(0, len(lines)-most):]
	edge := strings.Repeat("─", width+2)
	box := "┌" + edge + "┐"
	for _, line := range lines {
		box += "\n│ " + s.Style.Strong.Render(line) + strings.Repeat(" ", max(0, width-lipgloss.Width(line))) + " │"
	}
	return box + "\n└" + edge + "┘"
}

package page

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/tui/words"
)

// maxTyped is far longer than a link, in characters.
const maxTyped = 1024

// Enrol asks for the code or link of an invitation and, if necessary, for the address
// of the collector.
type Enrol struct {
	// Code is the input to the first question, Address the input to the second one.
	Code, Address string
	// AsksAddress is set during the second question.
	AsksAddress bool
	// Busy is set during the request to the collector.
	Busy bool
	// Problem describes the failure of the last attempt.
	Problem string
}

// Type appends typed or pasted text. A wrapped link keeps its line breaks, which are
// removed when the link is parsed.
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

// Erase removes the last character.
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

// Typed returns the content of the field.
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
		help.Spare = 1 // a small screen keeps the problem
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

// field draws the box with the input. A code is shown in spaced capitals as on paper. Of a
// link that is too long, the end is shown, where typing continues.
func (p Enrol) field(s Sheet) string {
	const cursor, frame = "▏", 4 // frame: two borders with a blank each
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

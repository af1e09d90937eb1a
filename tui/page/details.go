package page

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/viewport"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Details lists the evidence in words, with scrolling.
type Details struct {
	// OffersOwn is set if a key shows where the participant sees what is stored about them.
	OffersOwn bool

	report *report.Report
	view   viewport.Model
}

// NewDetails shows a report on a sheet.
func NewDetails(r *report.Report, s Sheet, offersOwn bool) Details {
	p := Details{OffersOwn: offersOwn, report: r, view: viewport.New(1, 1)}
	// The keys of Keys.Scroll, and the space bar. The letters of the default key map answer
	// questions on other pages.
	p.view.KeyMap = viewport.KeyMap{
		Up: key.NewBinding(key.WithKeys("up")), PageUp: key.NewBinding(key.WithKeys("pgup")),
		Down: key.NewBinding(key.WithKeys("down")), PageDown: key.NewBinding(key.WithKeys("pgdown", " ")),
	}
	return p.Resize(s)
}

// Resize lays out the text for another size and keeps the approximate position.
func (p Details) Resize(s Sheet) Details {
	at := p.view.YOffset
	p.view.Width = s.content()
	k := NewKeys(s.Words)
	k.Own.SetEnabled(p.OffersOwn)
	foot := s.keys([]key.Binding{k.Scroll, k.Back, k.Repeat, k.Own, k.Quit})
	p.view.Height = max(1, s.Height-lipgloss.Height(s.head(s.Words.T("details.step")))-lipgloss.Height(foot)-2)
	p.view.SetContent(p.text(s))
	p.view.SetYOffset(at)
	return p
}

// Update scrolls.
func (p Details) Update(msg tea.Msg) Details {
	p.view, _ = p.view.Update(msg)
	return p
}

// View draws the page.
func (p Details) View(s Sheet, k Keys) string {
	s.long = true
	k.Own.SetEnabled(p.OffersOwn)
	k.Scroll.SetEnabled(!p.view.AtTop() || !p.view.AtBottom())
	return s.frame(s.Words.T("details.step"), []Block{{Text: p.view.View()}}, k.Scroll, k.Back, k.Repeat, k.Own, k.Quit)
}

func (p Details) text(s Sheet) string {
	w := s.Words
	width := s.content()
	found := w.Found(p.report)
	parts := []string{s.Style.Accent.Render(w.T("details.found"))}
	switch {
	case len(found) == 0 && p.report.Verdict == report.Ready:
		parts = append(parts, wrap(w.T("details.nothing"), width))
	case len(found) == 0: // not praise if parts were not measured
		parts = append(parts, wrap(w.T("verdict.incomplete"), width))
	}
	for _, c := range found {
		parts = append(parts, section(c, s.Style.Severity(c.Severity), width))
	}
	parts = append(parts, s.Style.Accent.Render(w.T("details.measured")))
	for _, m := range w.Measured(p.report) {
		m.Title += ": " + w.State(m.State)
		parts = append(parts, section(m, s.Style.Status(m.State), width))
	}
	about := wrap(strings.Join(w.About(p.report), "\n"), width)
	return strings.Join(append(parts, s.Style.Quiet.Render(about)), "\n\n")
}

// section is a title after its mark, with its lines below.
func section(c words.Section, mark style.Mark, width int) string {
	title := mark.Style.Render(hanging(mark.Sign+" ", c.Title, width))
	lines := []string{title}
	for _, line := range c.Lines {
		inset := 2 + len(line) - len(strings.TrimLeft(line, " "))
		lines = append(lines, indent(wrap(strings.TrimLeft(line, " "), width-inset), inset))
	}
	return strings.Join(lines, "\n")
}

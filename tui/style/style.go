// Package style contains the colours and signs of the screens.
package style

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Each colour has a contrast of at least 4.4 to 1 on black and on white (WCAG 2.2 §1.4.3
// requires 4.5, for large text 3). Querying the terminal's background takes seconds on
// terminals that do not answer.
const (
	Accent  = "#007DB3"
	Good    = "#0A8700"
	Caution = "#B06000"
	Bad     = "#E02B2B"
	Quiet   = "#767676"
)

// Set is a complete set of styles.
type Set struct {
	// Color is false with NO_COLOR; then nothing may depend on colour, and the meter uses
	// signs.
	Color bool

	Text    lipgloss.Style
	Strong  lipgloss.Style
	Accent  lipgloss.Style
	Good    lipgloss.Style
	Caution lipgloss.Style
	Bad     lipgloss.Style
	Quiet   lipgloss.Style
}

// New returns the styles for a terminal with the given capabilities.
func New(profile termenv.Profile, color bool) Set {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(profile)
	r.SetHasDarkBackground(true) // prevents a query to the terminal
	text := r.NewStyle()
	in := func(c string) lipgloss.Style {
		if !color {
			return text
		}
		return text.Foreground(lipgloss.Color(c))
	}
	return Set{
		Color: color, Text: text, Strong: text.Bold(true),
		Accent: in(Accent).Bold(true), Good: in(Good).Bold(true), Caution: in(Caution).Bold(true),
		Bad: in(Bad).Bold(true), Quiet: in(Quiet),
	}
}

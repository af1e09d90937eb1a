package page

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Markers for content above or below the visible part.
const (
	SignAbove = "▲"
	SignBelow = "▼"
)

// window is frame for a screen that is too small for the page. No content is cut off; the page
// scrolls. Pinned blocks remain below the scrolling part. The head line is omitted, because it
// is the least important one.
func (s Sheet) window(blocks []Block, foot string) string {
	for spare := true; spare; {
		blocks, spare = withoutSpare(blocks, 1)
	}
	var moving, pinned []Block
	for _, b := range blocks {
		if b.Pin {
			pinned = append(pinned, b)
		} else {
			moving = append(moving, b)
		}
	}
	fixed := foot
	if p := join(pinned, 0); p != "" {
		fixed = p + "\n" + foot
	}
	lines := strings.Split(join(moving, 0), "\n")
	room := s.Height - lipgloss.Height(fixed)
	if room >= len(lines) {
		return s.fit(strings.Join(lines, "\n") + strings.Repeat("\n", room-len(lines)+1) + fixed)
	}
	room = max(1, room-1) // the line of markers
	from := max(0, min(s.Scroll, len(lines)-room))
	sign := ""
	if from > 0 {
		sign += SignAbove
	}
	if from+room < len(lines) {
		sign += SignBelow
	}
	hint := s.Style.Quiet.Render(sign + " " + s.Words.T("key.more"))
	return s.fit(strings.Join(lines[from:from+room], "\n") + "\n" + hint + "\n" + fixed)
}

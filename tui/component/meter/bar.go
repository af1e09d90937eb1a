package meter

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/tui/style"
)

// Labels are the words below the bar.
type Labels struct{ Quiet, Good, Loud string }

// goodFromDBFS is the start of the zone "good": a voice at the lower limit of the profiles
// (-40 dBFS active level) has peaks about 10 dB above that.
const goodFromDBFS = -30.0

// Bar draws the level above its labels, width cells wide. Without colour each zone has its
// own sign.
func Bar(l Level, width int, s style.Set, words Labels) string {
	if width < 1 {
		return ""
	}
	bar := row(l, width, s)
	return lipgloss.JoinVertical(lipgloss.Left, bar, scale(width, s), labels(width, s, words))
}

func row(l Level, width int, s style.Set) string {
	full := cell(l.shown, width)
	hold := cell(l.peak, width) - 1
	var b strings.Builder
	for i := range width {
		z := zoneOf(i, width, s)
		switch {
		case i == hold && hold >= full:
			b.WriteString(z.style.Render(holdSign(s)))
		case i < full:
			b.WriteString(z.style.Render(z.fill))
		default:
			b.WriteString(s.Quiet.Render(restSign(s)))
		}
	}
	return b.String()
}

// cell returns the number of cells that a level fills.
func cell(dbfs float64, width int) int {
	return int(math.Round((dbfs - FloorDBFS) / -FloorDBFS * float64(width)))
}

type zone struct {
	style lipgloss.Style
	fill  string
}

func zoneOf(i, width int, s style.Set) zone {
	z := zone{s.Quiet, "-"}
	switch {
	case i >= cell(ErrorDBFS, width):
		z = zone{s.Bad, "#"}
	case i >= cell(WarnDBFS, width):
		z = zone{s.Caution, "+"}
	case i >= cell(goodFromDBFS, width):
		z = zone{s.Good, "="}
	}
	if s.Color {
		z.fill = "█"
	}
	return z
}

func holdSign(s style.Set) string {
	if s.Color {
		return "┃"
	}
	return "|"
}

func restSign(s style.Set) string {
	if s.Color {
		return "─"
	}
	return "."
}

func scale(width int, s style.Set) string {
	line := blank(width)
	for _, db := range []float64{FloorDBFS, -40, WarnDBFS, ErrorDBFS} {
		put(line, cell(db, width), fmt.Sprintf("%.0f", db))
	}
	put(line, width-1, "0")
	return s.Quiet.Render(string(line))
}

// labels centres each label in its zone, with strokes between the zones.
func labels(width int, s style.Set, words Labels) string {
	line := blank(width)
	good, loud := cell(goodFromDBFS, width), cell(ErrorDBFS, width)
	middle(line, 0, good, words.Quiet)
	stroke(line, min(good, middle(line, good, loud, words.Good))-1)
	stroke(line, min(loud, middle(line, loud, width, words.Loud))-1)
	return s.Text.Render(string(line))
}

// middle centres text in a zone and returns its start.
func middle(line []rune, from, to int, text string) (at int) {
	n := len([]rune(text))
	at = min(from+max(0, to-from-n)/2, len(line)-n)
	put(line, at, text)
	return at
}

func stroke(line []rune, at int) {
	if at > 0 && line[at] == ' ' {
		line[at] = '|'
	}
}

func blank(width int) []rune { return []rune(strings.Repeat(" ", width)) }

// put writes text into line, moved left if it would exceed the end. It omits text that would
// touch an earlier one.
func put(line []rune, at int, text string) {
	r := []rune(text)
	at = min(at, len(line)-len(r))
	if at < 0 {
		return
	}
	for i := max(0, at-1); i < min(len(line), at+len(r)+1); i++ {
		if line[i] != ' ' {
			return
		}
	}
	copy(line[at:], r)
}

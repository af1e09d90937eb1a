package bigcode

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// gap is the space between two letters in pixels.
const gap = 2

// Render draws code as large as width and height (in cells) permit: with full blocks,
// half blocks, or as spaced letters.
func Render(code string, width, height int, style lipgloss.Style) string {
	rows, ok := bitmap(code, gap)
	if ok && 2*len(rows[0]) <= width && glyphRows <= height {
		return draw(style, fullBlocks(rows))
	}
	if ok && len(rows[0]) <= width && (glyphRows+1)/2 <= height {
		return draw(style, halfBlocks(rows))
	}
	return style.Render(spaced(code, width))
}

func draw(style lipgloss.Style, lines []string) string {
	for i := range lines {
		lines[i] = style.Render(lines[i])
	}
	return strings.Join(lines, "\n")
}

// fullBlocks draws each pixel two cells wide and one high, which is almost square.
func fullBlocks(rows [glyphRows][]bool) []string {
	var lines []string
	for _, row := range rows {
		var b strings.Builder
		for _, on := range row {
			b.WriteString(map[bool]string{true: "██", false: "  "}[on])
		}
		lines = append(lines, b.String())
	}
	return lines
}

// halfBlocks draws two vertically adjacent pixels in one cell.
func halfBlocks(rows [glyphRows][]bool) []string {
	var lines []string
	for y := 0; y < glyphRows; y += 2 {
		var b strings.Builder
		for x, upper := range rows[y] {
			lower := y+1 < glyphRows && rows[y+1][x]
			switch {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteRune(' ')
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}

// spaced returns "K 7 P - 3 Q X", or the plain code if that does not fit.
func spaced(code string, width int) string {
	if s := strings.Join(strings.Split(code, ""), " "); lipgloss.Width(s) <= width {
		return s
	}
	return code
}

package words

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// maxForeign limits the processed length of foreign text, in bytes.
const maxForeign = 4 << 10

// Clean makes foreign text (a device's name, an error) safe for a terminal: one
// line, without escape sequences, characters that hide or reorder others, and
// stacks of combining marks, at most width cells wide.
func Clean(s string, width int) string {
	if len(s) > maxForeign {
		s = s[:maxForeign]
	}
	s = ansi.Strip(strings.ToValidUTF8(s, ""))
	marks := 0
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > 2 {
				return -1
			}
			return r
		}
		marks = 0
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return ansi.Truncate(strings.Join(strings.Fields(s), " "), width, "…")
}

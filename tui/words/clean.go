package words

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// maxForeign bounds what is looked at of a text from outside, in bytes.
const maxForeign = 4 << 10

// Clean makes a text from outside (a device's name, an error) fit for a
// terminal: one line, no escape sequences, nothing that hides or reorders what
// stands beside it, no stacks of combining marks, at most width cells wide.
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

package web

import (
	"strings"
	"unicode"
)

// Lengths of texts from outside, in characters as they are shown.
const (
	maxNameRunes  = 120
	maxValueRunes = 160
)

// clean makes a text from outside fit for a page, whatever reached the store:
// one line, nothing that hides or reorders what stands beside it, no stacks of
// combining marks, and never longer than most characters. Escaping is the
// templates' part.
func clean(s string, most int) string {
	const bytesPerRune = 16 // with its combining marks
	if len(s) > most*bytesPerRune {
		s = s[:most*bytesPerRune]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	n, marks := 0, 0
	space := true // swallows leading blanks
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > 2 {
				continue
			}
			b.WriteRune(r)
			continue
		case unicode.IsSpace(r), unicode.IsControl(r):
			if space {
				continue
			}
			r, space = ' ', true
		case r == '\u200c', r == '\u200d': // Persian and Indic names need them
			b.WriteRune(r)
			continue
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			continue
		default:
			space = false
		}
		marks = 0
		if n++; n > most {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// dialled is a phone number as RFC 3966 wants it in a tel: link; "" when there
// is nothing to dial. The (0) that Germans write behind +49 is not dialled.
func dialled(phone string) string {
	if strings.HasPrefix(strings.TrimSpace(phone), "+") {
		phone = strings.Replace(phone, "(0)", "", 1)
	}
	var b strings.Builder
	for _, r := range phone {
		if r >= '0' && r <= '9' || r == '+' && b.Len() == 0 {
			b.WriteRune(r)
		}
	}
	if digits := strings.TrimPrefix(b.String(), "+"); len(digits) < 2 {
		return ""
	}
	return b.String()
}

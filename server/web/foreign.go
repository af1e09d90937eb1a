package web

import (
	"strings"
	"unicode"
)

// Maximum lengths of foreign texts, in displayed characters.
const (
	maxNameRunes  = 120
	maxValueRunes = 160
)

// clean sanitizes a foreign text for a page: it returns a single line of at most most characters,
// without characters that hide or reorder the text around them and without stacks of combining
// marks. Templates escape the result.
func clean(s string, most int) string {
	const bytesPerRune = 16 // including combining marks
	if len(s) > most*bytesPerRune {
		s = s[:most*bytesPerRune]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	n, marks := 0, 0
	space := true // skips leading spaces
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
		case r == '\u200c', r == '\u200d': // required by Persian and Indic names
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

// telNumber returns a phone number for a tel: link (RFC 3966); "" if it has no digits. The (0) that
// Germans write after +49 is not part of the number.
func telNumber(phone string) string {
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

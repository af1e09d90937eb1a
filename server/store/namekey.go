package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameKey returns the key by which names are sorted and searched: without case and
// accents, with ß as ss, so that "muller" finds "Müller" and Ä is sorted as A.
func NameKey(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	return strings.ReplaceAll(folded, "ß", "ss")
}

package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameKey is what names are sorted and searched by: no case, no accents, ß as
// ss, so that "muller" finds "Müller" and Ä stands beside A.
func NameKey(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	return strings.ReplaceAll(folded, "ß", "ss")
}

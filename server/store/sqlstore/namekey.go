package sqlstore

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nameKey is what names are sorted and searched by: no case, no accents, ß as
// ss, so that "muller" finds "Müller" and Ä stands beside A.
func nameKey(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	return strings.ReplaceAll(folded, "ß", "ss")
}

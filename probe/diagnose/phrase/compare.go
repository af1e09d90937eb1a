package phrase

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var rePlaceholder = regexp.MustCompile(`\{[a-z][a-z0-9_]*\}`)

// Compare returns the differences of two books, sorted: keys that only one of them has,
// and texts with different {placeholders}. Tests require that there are none.
func Compare(a, b *Book) []string {
	var complaints []string
	for _, key := range a.Keys() {
		if !b.Has(key) {
			complaints = append(complaints, fmt.Sprintf("%s: missing in %s", key, b.lang))
			continue
		}
		if pa, pb := placeholders(a.texts[key]), placeholders(b.texts[key]); !slices.Equal(pa, pb) {
			complaints = append(complaints, fmt.Sprintf("%s: placeholders differ: %s has [%s], %s has [%s]",
				key, a.lang, strings.Join(pa, " "), b.lang, strings.Join(pb, " ")))
		}
	}
	for _, key := range b.Keys() {
		if !a.Has(key) {
			complaints = append(complaints, fmt.Sprintf("%s: missing in %s", key, a.lang))
		}
	}
	slices.Sort(complaints)
	return complaints
}

// Placeholders returns the names of the {placeholders} of a text, sorted.
func (b *Book) Placeholders(key string) []string {
	all := placeholders(b.texts[key])
	for i := range all {
		all[i] = strings.Trim(all[i], "{}")
	}
	return all
}

// placeholders returns the different placeholders of a text, sorted.
func placeholders(text string) []string {
	all := rePlaceholder.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

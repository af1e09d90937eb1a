// Package phrase loads the texts that people read, in German and English, from
// TOML files that each package with a screen embeds. It is the one text loader
// of Tonprobe; it holds no texts of its own.
package phrase

import "strings"

// Lang is a language Tonprobe speaks.
type Lang string

// The languages.
const (
	DE Lang = "de"
	EN Lang = "en"
)

// Langs returns every language there is a text in.
func Langs() []Lang { return []Lang{DE, EN} }

// ParseLang reads a language as people and locales write it: "de", "DE",
// "de_AT.UTF-8", "en-GB". ok is false for a language that there is no text in.
func ParseLang(s string) (lang Lang, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if i := strings.IndexAny(s, "_-.@"); i >= 0 {
		s = s[:i]
	}
	switch s {
	case "de", "deutsch", "german":
		return DE, true
	case "en", "englisch", "english":
		return EN, true
	}
	return "", false
}

// FromLocale picks the language by the first of LC_ALL, LC_MESSAGES and LANG
// that is set (POSIX.1-2017, XBD 8.2): German for German locales, English for
// every other.
func FromLocale(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		v := getenv(name)
		if v == "" {
			continue
		}
		if lang, ok := ParseLang(v); ok {
			return lang
		}
		return EN
	}
	return EN
}

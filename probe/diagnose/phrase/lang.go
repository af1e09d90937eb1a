// Package phrase loads the texts that people read, in German and English, from TOML
// files that each package with a screen embeds. It is the only text loader of Tonprobe
// and contains no texts of its own.
package phrase

import "strings"

// Lang is a language of the texts.
type Lang string

// The languages.
const (
	DE Lang = "de"
	EN Lang = "en"
)

// Langs returns all languages.
func Langs() []Lang { return []Lang{DE, EN} }

// ParseLang parses a language as people and locales write it: "de", "DE",
// "de_AT.UTF-8", "en-GB". ok is false if there are no texts in it.
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

// FromLocale returns the language of the first of LC_ALL, LC_MESSAGES and LANG that is
// set (POSIX.1-2017, XBD 8.2): German for German locales, English for all others.
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

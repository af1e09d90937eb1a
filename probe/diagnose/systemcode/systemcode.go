// Package systemcode explains the error codes that conference systems show and that
// callers read out on the phone.
package systemcode

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

//go:embed texts/*.toml
var texts embed.FS

// Systems returns the systems whose codes are known.
func Systems() []string { return []string{"bbb"} }

// Code is one code of a system, apart from its texts.
type Code struct {
	System string
	// Number is how the system shows the code, and Aliases other numbers with the same
	// meaning.
	Number  string
	Aliases []string
	// Area says in whose hands it usually lies.
	Area report.Area
	// Causes are those that confirm the code where a check names one of them, in the
	// order of their likelihood.
	Causes []string
	// Steps are those of a check of the system itself that fail with the code. If one of
	// them failed, the code is confirmed; if all succeeded, it is refuted.
	Steps []report.ConferenceStep
	// Beyond is set if a check cannot measure everything that leads to the code, such as a
	// permission of the browser, so that no check refutes it.
	Beyond bool
}

// Meaning is a code in one language.
type Meaning struct {
	Code
	// Text is what the system shows beside the number; "" where it shows none.
	Text string
	// Means says what happened, in words for support.
	Means string
	// Older says what the same number meant in older versions; "" where nothing changed.
	Older string
	// Ask is the next question or action for the phone.
	Ask string
}

// Codes returns the codes of a system in order, nil for an unknown one.
func Codes(system string) []Code {
	if system != "bbb" {
		return nil
	}
	return bbbCodes()
}

// Lookup returns the meaning of a code as a caller reads it out, and whether it is known.
// Text in a language that there is none in is English.
func Lookup(system, number string, lang phrase.Lang) (Meaning, bool) {
	codes := Codes(strings.ToLower(strings.TrimSpace(system)))
	i := slices.IndexFunc(codes, func(c Code) bool { return c.is(number) })
	if i < 0 {
		return Meaning{}, false
	}
	b := book(lang)
	key := codes[i].System + "." + codes[i].Number + "."
	m := Meaning{Code: codes[i], Means: b.T(key + "means"), Ask: b.T(key + "ask")}
	if b.Has(key + "text") {
		m.Text = b.T(key + "text")
	}
	if b.Has(key + "older") {
		m.Older = b.T(key + "older")
	}
	return m, true
}

func book(lang phrase.Lang) *phrase.Book {
	dir, err := fs.Sub(texts, "texts")
	if err == nil {
		var b *phrase.Book
		if b, err = phrase.Load(dir, lang); err == nil {
			return b
		}
		if b, err = phrase.Load(dir, phrase.EN); err == nil {
			return b
		}
	}
	panic(err) // the embedded texts are broken, which every test sees
}

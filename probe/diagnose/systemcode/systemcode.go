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

// Systems returns the systems with known codes.
func Systems() []string { return []string{"bbb", "zoom"} }

// Code is one code of a system, without its texts.
type Code struct {
	System string
	// Number is how the system shows the code, and Aliases other numbers with the same
	// meaning.
	Number  string
	Aliases []string
	// Area is who is usually responsible.
	Area report.Area
	// Causes are the causes that confirm the code if a check reports one of them, most
	// likely first.
	Causes []string
	// Steps are the steps of a check of the system itself that fail with the code. If
	// one of them failed, the code is confirmed; if all succeeded, it is refuted.
	Steps []report.ConferenceStep
	// Beyond is set if a check cannot measure everything that leads to the code, such as a
	// permission of the browser, so that no check refutes it.
	Beyond bool
	// InBrowser is set if an add-on or a policy of the browser may prevent what a call of
	// this program achieves, so that such a call does not refute the code.
	InBrowser bool
	// BySIP is set if older clients show the code for a call by SIP.js, which does not go
	// through the part of the system that a check of the sound tests.
	BySIP bool
}

// Meaning is the explanation of a code in one language.
type Meaning struct {
	Code
	// Text is the text that the system shows beside the number; "" for none.
	Text string
	// Means describes what happened, for support.
	Means string
	// Older is the meaning of the same number in older versions; "" if it has not
	// changed.
	Older string
	// Ask is the next question or action on the phone.
	Ask string
}

// Codes returns the codes of a system in order, nil for an unknown one.
func Codes(system string) []Code {
	switch system {
	case "bbb":
		return bbbCodes()
	case "zoom":
		return zoomCodes()
	}
	return nil
}

// Lookup returns the meaning of a code as a caller reads it out, and whether it is known.
// A language without texts falls back to English.
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
	panic(err) // the embedded texts are invalid, which every test detects
}

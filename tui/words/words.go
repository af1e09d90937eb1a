// Package words converts a report to sentences. The screen, the plain output and
// the demo use the same texts, so that phone support always hears the same words.
package words

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The texts of the check in German and English. Those of causes and verdicts are in
// package diagnose.
//
//go:embed texts/*.toml
var files embed.FS

// load reads the texts of one language.
func load(lang phrase.Lang) (*phrase.Book, error) {
	texts, err := fs.Sub(files, "texts")
	if err != nil {
		return nil, fmt.Errorf("find the texts: %w", err)
	}
	return phrase.Load(texts, lang)
}

// Words provides the texts in one language.
type Words struct {
	*phrase.Book
	terms diagnose.Terms
}

// In returns the texts of a language, for the probes of this version.
func In(lang phrase.Lang) (Words, error) { return With(lang, diagnose.Glossary{}) }

// With returns the texts of a language, for the probes of a glossary.
func With(lang phrase.Lang, g diagnose.Glossary) (Words, error) {
	b, err := load(lang)
	return Words{b, g.In(lang)}, err
}

// Probe returns the name of a probe; an unknown probe is shown as it is.
func (w Words) Probe(name string) string {
	if text, ok := w.terms.Probe(name); ok {
		return text
	}
	return Clean(name, 40)
}

// ProbeOrder compares two probes by their position in a list. Unknown probes are
// last.
func (w Words) ProbeOrder(a, b string) int {
	place := func(name string) int {
		if i := w.terms.Probes().Index(name); i >= 0 {
			return i
		}
		return len(w.terms.Probes().All())
	}
	return cmp.Compare(place(a), place(b))
}

// State returns a status in one or two words.
func (w Words) State(s report.Status) string { return w.state("state.", s) }

// BriefState is State for limited space.
func (w Words) BriefState(s report.Status) string { return w.state("brief_state.", s) }

// state accepts, in addition to the statuses of a report, a partial result and the states of an
// unfinished probe. Any other value is shown as unknown.
func (w Words) state(table string, s report.Status) string {
	switch s {
	case report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusSkipped, diagnose.StandingPartial, diagnose.StandingHeard, "running", "listening":
		return w.T(table + string(s))
	}
	return w.T(table + "unknown")
}

// BriefProbe returns the name of a probe in at most 12 letters.
func (w Words) BriefProbe(name string) string {
	if text, ok := w.terms.BriefProbe(name); ok {
		return text
	}
	return Clean(name, 12)
}

// Number returns a small integer as a word (two to twelve), otherwise in digits.
func (w Words) Number(n int) string {
	if key := "number.n" + strconv.Itoa(n); w.Has(key) {
		return w.T(key)
	}
	return strconv.Itoa(n)
}

// Remaining returns how many seconds are left, in words.
func (w Words) Remaining(seconds int) string {
	if seconds == 1 {
		return w.T("check.remaining_one")
	}
	return w.T("check.remaining", "seconds", seconds)
}

// Spell returns a case code as spoken on the phone: "K wie Köln, sieben, …".
func (w Words) Spell(code string) string {
	var said []string
	for _, r := range code {
		key := "spell." + string(r)
		switch {
		case !w.Has(key):
		case r >= '0' && r <= '9':
			said = append(said, w.T(key))
		default:
			said = append(said, w.T("spell.letter", "letter", string(r), "word", w.T(key)))
		}
	}
	return strings.Join(said, ", ")
}

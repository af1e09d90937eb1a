package systemcode_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
)

func TestEveryCodeIsSound(t *testing.T) {
	for _, system := range systemcode.Systems() {
		seen := map[string]bool{}
		for _, c := range systemcode.Codes(system) {
			for _, number := range append([]string{c.Number}, c.Aliases...) {
				if seen[number] {
					t.Errorf("%s %s is defined twice", system, number)
				}
				seen[number] = true
				for _, lang := range phrase.Langs() {
					m, ok := systemcode.Lookup(system, " "+number+" ", lang)
					if !ok || m.Means == "" || m.Ask == "" {
						t.Errorf("%s %s %s: got %+v, want a meaning and a question", lang, system, number, m)
					}
				}
			}
			for _, cause := range c.Causes {
				if _, ok := diagnose.Lookup(cause); !ok {
					t.Errorf("%s %s: there is no cause %s", system, c.Number, cause)
				}
			}
			if c.Area == "" {
				t.Errorf("%s %s has no area", system, c.Number)
			}
		}
	}
}

// TestOlderMeaning: the meanings of the codes 1004 and 1005 changed between versions.
func TestOlderMeaning(t *testing.T) {
	for _, number := range []string{"1004", "1005", "1305"} {
		if m, ok := systemcode.Lookup("BBB", number, phrase.DE); !ok || m.Older == "" {
			t.Errorf("%s: got %+v, want an older meaning", number, m)
		}
	}
}

func TestUnknownCodes(t *testing.T) {
	for _, c := range [][2]string{{"bbb", "9999"}, {"bbb", ""}, {"bbb", "x"}, {"zoom", "1007"}, {"bbb", "5003"}, {"teams", "5003"}, {"", "1007"}} {
		if m, ok := systemcode.Lookup(c[0], c[1], phrase.EN); ok {
			t.Errorf("%v: got %+v, want nothing", c, m)
		}
	}
}

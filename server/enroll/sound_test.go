package enroll_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/server/enroll"
)

func TestBreaksSound(t *testing.T) {
	for name, want := range map[string][]string{
		"Anna Muster": nil, "Dr. Ömer O'Neill-Šmíd (SPD)": nil, "Rat: Anna": nil, "a:b/c": nil, "": nil, "„Hans“ Müller": nil,
		`Hans "Hansi" Maier`: {`"`}, `a\b`: {`\`}, "http://x": {":/"}, "Ortsrat::Nord": {"::"}, `"\:/::`: {`"`, `\`, ":/", "::"},
	} {
		if got := enroll.BreaksSound(name); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	reHeading = regexp.MustCompile(`(?m)^(#+) `)
	reOption  = regexp.MustCompile(`--[a-z][a-z-]+`)
	reProgram = regexp.MustCompile(`\btonprobe(?:-collector)? [a-z]+\b`)
)

// TestBothGuidesForAdministratorsSayTheSame compares the sections, options and
// commands of the English guide with those of the German one.
func TestBothGuidesForAdministratorsSayTheSame(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, name := range []string{"administrator.md", "rollout.md"} {
		sameGuides(t, name, read(name), read("de/"+name))
	}
}

func sameGuides(t *testing.T, name, en, de string) {
	t.Helper()
	if got, want := strings.Join(reHeading.FindAllString(de, -1), ""), strings.Join(reHeading.FindAllString(en, -1), ""); got != want {
		t.Errorf("%s: got sections %q in German, %q in English", name, got, want)
	}
	for what, re := range map[string]*regexp.Regexp{"option": reOption, "command": reProgram} {
		there := re.FindAllString(de, -1)
		for _, want := range re.FindAllString(en, -1) {
			if !slices.Contains(there, want) {
				t.Errorf("the German %s lacks the %s %q", name, what, want)
			}
		}
	}
}

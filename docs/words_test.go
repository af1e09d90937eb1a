package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reNotRead matches the parts of a text file that are not read as words: keys, section
// names, options, commands and placeholders.
var reNotRead = regexp.MustCompile(`(?m)^\s*["\w.]+ = |^\[.*\]$|^#.*$|tonprobe-collector|\{[a-z_]+\}`)

// TestRetiredWords checks the texts against the glossary in words.md.
func TestRetiredWords(t *testing.T) {
	never := retired(t)
	for lang, patterns := range map[string][]string{
		"de": {"../probe/diagnose/texts/de.toml", "../tui/words/texts/de.toml", "../cmd/*/texts/de.toml", "../server/web/texts/de.toml", "de/anleitung.md", "de/telefonhilfe.md"},
		"en": {"../probe/diagnose/texts/en.toml", "../tui/words/texts/en.toml", "../cmd/*/texts/en.toml", "../server/web/texts/en.toml"},
	} {
		if len(never[lang]) < 8 {
			t.Fatalf("got only %d retired words in %s, so the table was not parsed; want at least 8", len(never[lang]), lang)
		}
		for _, pattern := range patterns {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: no file: %v", pattern, err)
			}
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for n, line := range strings.Split(string(b), "\n") {
					line = reNotRead.ReplaceAllString(line, "")
					for _, word := range never[lang] {
						if strings.Contains(line, word) {
							t.Errorf("%s:%d contains %q", file, n+1, word)
						}
					}
				}
			}
		}
	}
}

// retired reads the columns "never" of the table.
func retired(t *testing.T) map[string][]string {
	b, err := os.ReadFile("words.md")
	if err != nil {
		t.Fatal(err)
	}
	never := map[string][]string{}
	for line := range strings.SplitSeq(string(b), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || strings.Contains(line, "---") || strings.TrimSpace(cells[1]) == "thing" {
			continue
		}
		for lang, cell := range map[string]string{"de": cells[3], "en": cells[5]} {
			for word := range strings.SplitSeq(cell, ";") {
				if word = strings.TrimSpace(word); word != "" {
					never[lang] = append(never[lang], word)
				}
			}
		}
	}
	return never
}

package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase/phrasetest"
)

func TestLanguagesMatch(t *testing.T) { phrasetest.Books(t, load) }

// TestKeysAndTextsMatch reads the sources of tui: each key in use must have a text,
// and each text must be used. A key that is composed at run time counts by its
// constant prefix ("advice." + …).
func TestKeysAndTextsMatch(t *testing.T) {
	keys, beginnings := keysInSources(t, "..")
	if len(keys) < 50 || len(beginnings) < 5 {
		t.Fatalf("only %d keys and %d prefixes found: the search is broken", len(keys), len(beginnings))
	}
	b := phrasetest.Books(t, load)[phrase.DE]
	for key, where := range keys {
		if !b.Has(key) {
			t.Errorf("%s: no text %q", where, key)
		}
	}
	used := map[string]bool{}
	for _, key := range b.Keys() {
		if _, ok := keys[key]; ok {
			used[key] = true
		}
		for beginning := range beginnings {
			if strings.HasPrefix(key, beginning) {
				used[key], used[beginning] = true, true
			}
		}
		if !used[key] {
			t.Errorf("text %q is never used", key)
		}
	}
	for beginning, where := range beginnings {
		if !used[beginning] {
			t.Errorf("%s: no text has the prefix %q", where, beginning)
		}
	}
}

// keysInSources finds literals that look like keys ("page.name"), and prefixes of
// keys ("page." before a plus). Keys of other packages' books do not occur in tui.
func keysInSources(t *testing.T, root string) (keys, beginnings map[string]string) {
	keys, beginnings = map[string]string{}, map[string]string{}
	sections := map[string]bool{}
	for _, key := range phrasetest.Books(t, load)[phrase.DE].Keys() {
		section, _, _ := strings.Cut(key, ".")
		sections[section] = true
	}
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			s, _, verb := strings.Cut(s, "%")
			section, name, dotted := strings.Cut(s, ".")
			where := files.Position(lit.Pos()).String()
			switch {
			case !dotted || !sections[section] || strings.ContainsAny(s, " /:"):
			case name == "" || verb || s == "number.n":
				beginnings[s] = where
			default:
				keys[s] = where
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, beginnings
}

// TestReadingTextsFitACheck: at 120 words a minute ten words take 5 s, longer than the 4.5 s for
// which a check records a voice; at 180 words a minute they still contain the required 3 s of
// speech.
func TestReadingTextsFitACheck(t *testing.T) {
	for lang, b := range phrasetest.Books(t, load) {
		for _, key := range b.Keys() {
			if strings.HasPrefix(key, "read.") {
				if n := len(strings.Fields(b.T(key))); n < 9 || n > 13 {
					t.Errorf("%s %s has %d words, want 9 to 13", lang, key, n)
				}
			}
		}
	}
}

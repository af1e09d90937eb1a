package probe_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// screens lists the trees that display measured values, with the probes and data types
// that each may name. Everything else is rendered from the descriptions, so that a new
// probe appears without a change.
var screens = map[string][]string{
	// The level meter, the question about the test sound, and whether this computer is
	// enrolled for the voice stream.
	"tui": {"ProbeAudioInput", "ProbeAudioOutput", "AudioInput", "AudioOutput", "MediaVoice"},
	// The steps of a conference check, which are drawn as a ladder.
	"server/web": {"Conference"},
}

// TestScreensKeepNoListOfFields: no screen names a field of a probe, neither in code
// nor in a template, and no probe but those that it interacts with.
func TestScreensKeepNoListOfFields(t *testing.T) {
	fields, probes := describedNames(t)
	if len(fields) < 100 || len(probes) < 20 {
		t.Fatalf("found %d fields and %d names of probes and their types", len(fields), len(probes))
	}
	for tree, allowed := range screens {
		seen := 0
		err := filepath.WalkDir(filepath.Join("..", tree), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			switch filepath.Ext(path) {
			case ".go":
				seen++
				for _, name := range namedIn(t, path) {
					if fields[name] || probes[name] && !slices.Contains(allowed, name) {
						t.Errorf("%s names %s", path, name)
					}
				}
			case ".html":
				seen++
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for _, name := range words.FindAllString(string(text), -1) {
					if fields[name] {
						t.Errorf("%s names %s", path, name)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen < 20 {
			t.Errorf("found only %d files in %s", seen, tree)
		}
	}
}

var words = regexp.MustCompile(`[a-z0-9_]+`)

// describedNames returns the names of the described fields, and those of the Go
// constants and types of the probes. A name of one word, such as "device", may mean
// anything and is omitted.
func describedNames(t *testing.T) (fields, probes map[string]bool) {
	t.Helper()
	fields, probes = map[string]bool{}, map[string]bool{}
	var collect func([]report.Field)
	collect = func(all []report.Field) {
		for _, f := range all {
			if strings.Contains(f.Name, "_") {
				fields[f.Name] = true
			}
			collect(f.Fields)
		}
	}
	for _, p := range report.KnownProbes().All() {
		collect(p.Fields())
		probes[reflect.TypeOf(p.Data).Elem().Name()] = true
	}
	files, err := filepath.Glob("report/data_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		ast.Inspect(parsed(t, file), func(n ast.Node) bool {
			if c, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(c.Names[0].Name, "Probe") {
				probes[c.Names[0].Name] = true
			}
			return true
		})
	}
	return fields, probes
}

// namedIn returns the string literals of a Go file, and the names of package report
// that it uses.
func namedIn(t *testing.T, file string) (names []string) {
	t.Helper()
	ast.Inspect(parsed(t, file), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				names = append(names, text)
			}
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok && from.Name == "report" {
				names = append(names, n.Sel.Name)
			}
		}
		return true
	})
	return names
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

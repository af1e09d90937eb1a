package bundle

import (
	"flag"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "collect words.txt from the source")

// libraries are the packages whose errors are logged most, in the source of Go.
var libraries = []string{"net", "net/http", "crypto/tls", "crypto/x509", "context", "os", "io", "io/fs", "syscall", "encoding/json", "internal/poll"}

// TestWords: the log messages of this program remain readable. A few new words may be
// missing; -update collects them.
func TestWords(t *testing.T) {
	words := map[string]bool{"time": true, "level": true, "msg": true, "info": true, "warn": true, "error": true, "debug": true, "err": true, "true": true, "false": true}
	for _, root := range []string{"../../agent", "../../probe", "../../cmd/tonprobe"} {
		collect(t, root, true, words)
	}
	if *update {
		for _, name := range libraries {
			collect(t, filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(name)), false, words)
		}
		b := strings.Join(slices.Sorted(maps.Keys(words)), "\n") + "\n"
		if err := os.WriteFile("words.txt", []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	missing := 0
	for word := range words {
		if !slices.Contains(strings.Fields(wordList), word) {
			missing++
		}
	}
	if most := len(words) / 20; missing > most {
		t.Errorf("%d of %d words are missing, want at most %d: run this test with -update", missing, len(words), most)
	}
}

// collect adds the words of the messages in the Go files of a folder.
func collect(t *testing.T, root string, below bool, words map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "testbench" || path != root && !below):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isMessage(call.Fun) {
				for _, a := range call.Args {
					addWords(a, words)
				}
			}
			if ours := strings.HasPrefix(root, "../../agent"); n == file && (ours || d.Name() == "zerrors_linux_amd64.go") {
				addWords(n, words) // all texts, as the names of loops and watchers
			}
			if made, ok := n.(*ast.FuncDecl); ok && made.Name.Name == "Error" && made.Body != nil {
				addWords(made.Body, words)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isMessage(f ast.Expr) bool {
	s, ok := f.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	return slices.Contains([]string{
		"Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext", "ErrorContext", "New", "Errorf",
	}, s.Sel.Name)
}

func addWords(in ast.Node, words map[string]bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		s, err := strconv.Unquote(lit.Value)
		if err != nil || strings.ContainsAny(s, "\\/<") { // patterns and paths
			return true
		}
		for _, word := range reWord.FindAllString(strings.ToLower(s), -1) {
			if len(word) < 24 && (len(word) > 1 || word == "a") && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
				words[word] = true
			}
		}
		return true
	})
}

package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

func TestNoteKnownAndNot(t *testing.T) {
	for lang, want := range map[phrase.Lang][2]string{
		phrase.DE: {"Grund: Dieses Programm wurde ohne Ton gebaut.", "Technischer Grund, auf Englisch: something new"},
		phrase.EN: {"Reason: This program was built without sound.", "Technical reason: something new"},
	} {
		w, err := In(lang)
		if err != nil {
			t.Fatal(err)
		}
		for i, note := range []string{"built without audio", "something\x1b[31m new"} {
			if got := w.Note(note); got != want[i] {
				t.Errorf("%q: %q, want %q", note, got, want[i])
			}
		}
	}
}

// reNote is how notes are written: a few English words, beginning small.
var reNote = regexp.MustCompile(`^[a-z][a-z',:]* [A-Za-z0-9 ',:]+$`)

// TestEveryNoteOfTheProbesHasAText reads the notes out of the probes' sources:
// literals given to a Note and to the functions called unknown.
func TestEveryNoteOfTheProbesHasAText(t *testing.T) {
	w, err := In(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir(filepath.Join("..", "..", "probe"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil // half-written; the compiler says so better
		}
		for _, note := range notesIn(f) {
			found++
			if !w.Has("note." + slug(note)) {
				t.Errorf("%s: no text for %q: add note.%s to tui/texts", path, note, slug(note))
			}
		}
		return nil
	})
	if err != nil || found < 10 {
		t.Errorf("%d notes found, %v", found, err)
	}
}

func notesIn(f *ast.File) (notes []string) {
	add := func(e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && reNote.MatchString(text) {
			notes = append(notes, text)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Note" {
				add(n.Value)
			}
		case *ast.AssignStmt:
			if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && s.Sel.Name == "Note" {
				add(n.Rhs[0])
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "unknown" && len(n.Args) == 1 {
				add(n.Args[0])
			}
		}
		return true
	})
	return notes
}

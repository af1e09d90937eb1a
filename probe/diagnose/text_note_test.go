package diagnose

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

func TestNoteTextKnownAndNot(t *testing.T) {
	if text, known := NoteText("built without audio", phrase.DE); !known || text != "Dieses Programm wurde ohne Ton gebaut." {
		t.Errorf("got %q, known %v; want %q, true", text, known, "Dieses Programm wurde ohne Ton gebaut.")
	}
	for _, note := range []string{"", "something\x1b[31m new", "‹note›"} {
		if text, known := NoteText(note, phrase.EN); known || text != "" {
			t.Errorf("%q: got %q, known %v; want no text", note, text, known)
		}
	}
}

// reNote matches notes: a few English words that begin in lower case.
var reNote = regexp.MustCompile(`^[a-z][a-z',:]* [A-Za-z0-9 ',:]+$`)

// TestEveryNoteHasAText finds the notes in the sources: literals assigned to a Note,
// passed to functions whose name begins with unknown, and returned by whyUnknown and by
// functions whose name ends with Reason.
func TestEveryNoteHasAText(t *testing.T) {
	holdNotes(t, "..", 10)
	holdNotes(t, filepath.Join("..", "..", "agent"), 4)
}

// holdNotes checks a directory with at least this many notes.
func holdNotes(t *testing.T, folder string, least int) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil // incomplete; the compiler reports it better
		}
		for _, note := range notesIn(f) {
			found++
			if _, known := NoteText(note, phrase.DE); !known {
				t.Errorf("%s: no text for %q: add note.%s to texts", path, note, noteKey(note))
			}
		}
		return nil
	})
	if err != nil || found < least {
		t.Errorf("%s: got %d notes, error %v; want at least %d", folder, found, err, least)
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
			if name, ok := n.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "unknown") {
				for _, e := range n.Args {
					add(e)
				}
			}
		case *ast.FuncDecl:
			if n.Name.Name == "whyUnknown" || strings.HasSuffix(n.Name.Name, "Reason") {
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						add(r.Results[0])
					}
					return true
				})
			}
		}
		return true
	})
	return notes
}

package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestRulesDoNotCallRules: the result of a rule depends on the facts alone, so that it
// can be changed, or suppressed, without affecting the result of another rule.
func TestRulesDoNotCallRules(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	rules := map[string]bool{}
	var parsed []*ast.File
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := field.Key.(*ast.Ident); ok && key.Name == "rule" {
				name, ok := field.Value.(*ast.Ident)
				if !ok {
					t.Errorf("%s: the rule of an entry must be a named function", set.Position(field.Pos()))
					return true
				}
				rules[name.Name] = true
			}
			return true
		})
	}
	if len(rules) != len(Catalogue()) {
		t.Fatalf("got %d rules for %d causes", len(rules), len(Catalogue()))
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok && rules[name.Name] {
					t.Errorf("%s: call of the rule %s", set.Position(call.Pos()), name.Name)
				}
			}
			return true
		})
	}
}

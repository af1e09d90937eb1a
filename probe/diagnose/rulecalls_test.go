package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesDoNotCallRules: rules do not call other rules: what they share is a method
// of facts, and what follows from another cause is a field of the definition.
func TestRulesDoNotCallRules(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	uses := map[string][]string{} // by name: where it occurs outside of a definition
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var inBody func(n ast.Node) bool
		inBody = func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr: // a method may have the name of a rule
				ast.Inspect(n.X, inBody)
				return false
			case *ast.KeyValueExpr:
				key, _ := n.Key.(*ast.Ident)
				if name, ok := n.Value.(*ast.Ident); ok && key != nil && key.Name == "rule" {
					rules[name.Name] = true
					return false
				}
			case *ast.Ident:
				uses[n.Name] = append(uses[n.Name], path)
			}
			return true
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
				ast.Inspect(d.Body, inBody)
			}
		}
	}
	if len(rules) < 60 {
		t.Errorf("got %d rules, want at least 60", len(rules))
	}
	for name := range rules {
		if len(uses[name]) > 0 {
			t.Errorf("the rule %s is used by functions of %v", name, uses[name])
		}
	}
}

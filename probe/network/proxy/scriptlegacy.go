package proxy

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

// This file supports what browsers accept beyond the language, but the engine does
// not (ECMA-262 Annex B): old scripts use it.

// compile compiles a script. If it cannot be parsed, compile removes HTML comments
// (B.1.1) and tries again. They are not removed from other scripts, which may
// contain the same characters in a template.
func compile(source string) (*goja.Program, error) {
	program, err := parseScript(source)
	if err != nil {
		return nil, err
	}
	return goja.CompileAST(program, false)
}

func parseScript(source string) (*ast.Program, error) {
	// A source map is a file whose name the script chooses, and the parser would
	// open it.
	program, err := goja.Parse("proxy.pac", source, parser.WithDisableSourceMaps)
	if err == nil || !htmlComment.MatchString(source) {
		return program, err
	}
	if bare, bareErr := goja.Parse("proxy.pac", withoutHTMLComments(source), parser.WithDisableSourceMaps); bareErr == nil {
		return bare, nil
	}
	return nil, err
}

// compileHoisted is compile for a script that calls a function outside of the block
// in which it is declared (B.3.2). It is used only for scripts that failed because
// of an undefined name, so that others are not modified.
func compileHoisted(source string) (*goja.Program, error) {
	program, err := parseScript(source)
	if err != nil {
		return nil, err
	}
	hoistFunctions(program)
	return goja.CompileAST(program, false)
}

// lacksName reports whether a script failed because a name is not defined.
func lacksName(err error) bool {
	e, ok := errors.AsType[*goja.Exception](err)
	return errors.Is(err, errNoFunction) || ok && strings.HasPrefix(e.Error(), "ReferenceError")
}

var htmlComment = regexp.MustCompile(`(?m)^(\s*)(?:<!--|-->)`)

// withoutHTMLComments converts HTML comments at the beginning of a line, which
// enclosed scripts in web pages, to comments of the language.
func withoutHTMLComments(source string) string {
	return htmlComment.ReplaceAllString(source, "$1//")
}

// hoistFunctions converts functions that are declared in blocks to variables of the
// enclosing function: { function f() {} } becomes { var f = function f() {} }.
func hoistFunctions(program *ast.Program) {
	h := hoister{declared: &program.DeclarationList}
	h.walkList(program.Body)
}

// hoister processes the statements of one function.
type hoister struct {
	declared   *[]*ast.VariableDeclaration
	parameters []string
}

func (h hoister) walkList(list []ast.Statement) {
	for _, s := range list {
		h.walk(reflect.ValueOf(s))
	}
}

func (h hoister) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			h.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			h.walk(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				h.walk(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			h.walkNode(v)
		}
	}
}

func (h hoister) walkNode(v reflect.Value) {
	switch node := v.Interface().(type) {
	case *file.File, *ast.VariableDeclaration: // the latter repeat the statements
		return
	case *ast.FunctionLiteral:
		h.walkFunction(&node.DeclarationList, node.ParameterList, node.Body.List)
		return
	case *ast.ArrowFunctionLiteral:
		if body, ok := node.Body.(*ast.BlockStatement); ok {
			h.walkFunction(&node.DeclarationList, node.ParameterList, body.List)
			return
		}
	case *ast.ClassStaticBlock:
		h.walkFunction(&node.DeclarationList, nil, node.Block.List)
		return
	case *ast.BlockStatement:
		node.List = h.hoist(node.List)
	case *ast.CaseStatement:
		node.Consequent = h.hoist(node.Consequent)
	}
	h.walk(v.Elem())
}

// walkFunction processes an inner function, in which its own functions remain.
func (h hoister) walkFunction(declared *[]*ast.VariableDeclaration, parameters *ast.ParameterList, body []ast.Statement) {
	inner := hoister{declared: declared}
	if parameters != nil {
		for _, p := range parameters.List {
			if name, ok := p.Target.(*ast.Identifier); ok {
				inner.parameters = append(inner.parameters, name.Name.String())
			}
		}
		inner.walk(reflect.ValueOf(parameters.List))
	}
	inner.walkList(body)
}

// hoist returns the statements of a block with its functions as variables at the
// beginning, because a block may call a function before its declaration.
func (h hoister) hoist(list []ast.Statement) []ast.Statement {
	var functions, rest []ast.Statement
	for _, s := range list {
		d, ok := s.(*ast.FunctionDeclaration)
		if !ok || d.Function.Async || d.Function.Generator || slices.Contains(h.parameters, d.Function.Name.Name.String()) {
			rest = append(rest, s)
			continue
		}
		at, bindings := d.Function.Function, []*ast.Binding{{Target: d.Function.Name, Initializer: d.Function}}
		functions = append(functions, &ast.VariableStatement{Var: at, List: bindings})
		*h.declared = append(*h.declared, &ast.VariableDeclaration{Var: at, List: bindings})
	}
	return append(functions, rest...)
}

package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write schema.json anew from the types")

// object is a JSON object; encoding/json writes its keys sorted, so that the
// file differs only where the types do.
type object = map[string]any

func TestSchemaIsCurrent(t *testing.T) {
	want := makeSchema(t)
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(Schema(), want) {
		t.Error("schema.json differs from the types: go test ./probe/report -run TestSchemaIsCurrent -update")
	}
}

// TestSchemaNamesTheFieldsOfTheTypes traverses schema and types independently of the
// generator, which may be wrong: each property has a field, each field a property, and
// the JSON kinds agree.
func TestSchemaNamesTheFieldsOfTheTypes(t *testing.T) {
	var schema object
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(object)
	types := documentTypes()
	for name := range defs {
		if !slices.ContainsFunc(types, func(typ reflect.Type) bool { return typ.Name() == name }) {
			t.Errorf("the schema defines %s, which is not a type of the document", name)
		}
	}
	for _, typ := range types {
		def := schema
		if typ.Name() != "Report" {
			var ok bool
			if def, ok = defs[typ.Name()].(object); !ok {
				t.Errorf("the schema does not define %s", typ.Name())
				continue
			}
		}
		properties := maps.Clone(def["properties"].(object))
		for i := range typ.NumField() {
			f := typ.Field(i)
			p, ok := properties[nameOf(f)].(object)
			if !ok {
				t.Errorf("%s: schema has no property %s", typ.Name(), nameOf(f))
				continue
			}
			delete(properties, nameOf(f))
			if words, _ := p["description"].(string); len(words) < 10 {
				t.Errorf("%s.%s has no description", typ.Name(), nameOf(f))
			}
			if got, want := p["type"], jsonType(f.Type); want != "" && got != want {
				t.Errorf("%s.%s has type %v, want %s", typ.Name(), nameOf(f), got, want)
			}
			isRequired := slices.Contains(def["required"].([]any), any(nameOf(f)))
			if isRequired == strings.Contains(f.Tag.Get("json"), "omitempty") {
				t.Errorf("%s.%s: required=%t, but its tag is %s", typ.Name(), nameOf(f), isRequired, f.Tag)
			}
		}
		for name := range properties {
			t.Errorf("%s: the schema has a property %s, but the type has no such field", typ.Name(), name)
		}
	}
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func jsonType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case t.Kind() == reflect.Interface || t.Kind() == reflect.Struct:
		return "" // checked by reference or by name of the probe
	}
	return map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Float64: "number", reflect.Slice: "array", reflect.Array: "array",
	}[t.Kind()]
}

// TestUnitsAreInTheComments: the comment of every field states the unit in its name.
func TestUnitsAreInTheComments(t *testing.T) {
	comments := fieldComments(t)
	words := map[string]string{
		"ms": "ms", "s": " s", "pct": "percent", "hz": "Hz", "dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS", "db": "dB",
		"dbm": "dBm", "kbps": "kbit/s", "mbps": "Mbit/s", "bytes": "bytes",
	}
	for _, typ := range documentTypes() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			parts := strings.Split(nameOf(f), "_")
			unit, ok := words[parts[len(parts)-1]]
			if ok && len(parts) > 1 && !strings.Contains(comments[typ.Name()+"."+f.Name], unit) {
				t.Errorf("the comment of %s.%s lacks its unit %q", typ.Name(), f.Name, unit)
			}
		}
	}
}

// TestEnumsHoldEveryConstant reads the sources: a constant that values() does not list
// would be rejected by every collector.
func TestEnumsHoldEveryConstant(t *testing.T) {
	enums := map[string]enum{}
	walkDocument(func(typ reflect.Type, _ []Field) {
		for f := range typ.Fields() {
			if e, ok := reflect.Zero(f.Type).Interface().(enum); ok {
				enums[f.Type.Name()] = e
			}
		}
	})
	if len(enums) < 9 {
		t.Fatalf("found only %d closed lists", len(enums))
	}
	seen := map[string][]string{}
	for _, file := range parsePackage(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, _ := spec.Type.(*ast.Ident)
			lit, _ := spec.Values[0].(*ast.BasicLit)
			if typ != nil && lit != nil && enums[typ.Name] != nil {
				seen[typ.Name] = append(seen[typ.Name], strings.Trim(lit.Value, `"`))
			}
			return true
		})
	}
	for name, e := range enums {
		got, want := slices.Sorted(slices.Values(e.values())), slices.Sorted(slices.Values(seen[name]))
		if !slices.Equal(got, want) {
			t.Errorf("%s lists %q, but its constants are %q", name, got, want)
		}
	}
}

// documentTypes returns all struct types of a report.
func documentTypes() (types []reflect.Type) {
	walkDocument(func(typ reflect.Type, _ []Field) { types = append(types, typ) })
	return types
}

// walkDocument visits each struct type of a report once, with the descriptions of its
// fields.
func walkDocument(visit func(reflect.Type, []Field)) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type, []Field)
	walk = func(typ reflect.Type, fields []Field) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		visit(typ, fields)
		for _, f := range fields {
			inner := typ.Field(f.index).Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if f.Fields != nil {
				walk(inner, f.Fields)
			}
		}
	}
	walk(reflect.TypeFor[Report](), documentFields())
	for _, p := range KnownProbes().All() {
		walk(reflect.TypeOf(p.Data).Elem(), p.fields)
	}
}

// makeSchema returns the schema of the types, their rules and their comments.
func makeSchema(t *testing.T) []byte {
	comments := fieldComments(t)
	defs := object{}
	var root object
	walkDocument(func(typ reflect.Type, fields []Field) {
		def := object{
			"type": "object", "description": comments[typ.Name()], "additionalProperties": false,
			"properties": object{}, "required": []string{},
		}
		for _, f := range fields {
			of := typ.Field(f.index)
			p := property(of.Type, f)
			p["description"] = comments[typ.Name()+"."+of.Name]
			def["properties"].(object)[f.Name] = p
			if !strings.Contains(of.Tag.Get("json"), "omitempty") {
				def["required"] = append(def["required"].([]string), f.Name)
			}
		}
		if typ.Name() == "Report" {
			root = def
			return
		}
		defs[typ.Name()] = def
	})
	defs["Result"].(object)["allOf"] = dataByName()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "urn:tonprobe:report:v1"
	root["title"] = "Tonprobe report, version 1"
	root["$comment"] = "What a writer may send. A reader drops what it does not know."
	root["$defs"] = defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dataByName selects the type of a result's data by the name of its probe.
func dataByName() (cases []any) {
	for _, p := range KnownProbes().All() {
		cases = append(cases, object{
			"if":   object{"properties": object{"name": object{"const": p.Name}}},
			"then": object{"properties": object{"data": object{"$ref": "#/$defs/" + reflect.TypeOf(p.Data).Elem().Name()}}},
		})
	}
	return cases
}

// property returns the schema of a field; typ names the definition of a group and of
// the entries of a list.
func property(typ reflect.Type, f Field) object {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	number := func(kind string) object {
		return object{"type": kind, "minimum": f.Range.Low, "maximum": f.Range.High}
	}
	switch f.Kind {
	case KindFlag:
		return object{"type": "boolean"}
	case KindCount:
		return number("integer")
	case KindNumber:
		return number("number")
	case KindInterval:
		return object{"type": "array", "minItems": typ.Len(), "maxItems": typ.Len(), "items": number("number")}
	case KindTime:
		return object{"type": "string", "format": "date-time"}
	case KindGroup:
		return object{"$ref": "#/$defs/" + typ.Name()}
	case KindList:
		return object{"type": "array", "maxItems": f.MaxItems, "items": object{"$ref": "#/$defs/" + typ.Elem().Name()}}
	case KindAny:
		if typ == reflect.TypeFor[Data]() {
			return object{"type": "object"}
		}
		return object{"type": []string{"boolean", "number", "string"}, "maxLength": f.MaxBytes}
	}
	return stringProperty(f)
}

func stringProperty(f Field) object {
	p := object{"type": "string"}
	if f.Kind == KindChoice {
		p["enum"] = f.Values
		if f.optional {
			p["enum"] = append([]string{""}, f.Values...)
		}
		return p
	}
	p["maxLength"] = f.MaxBytes
	if f.pattern != nil {
		p["pattern"] = f.pattern.String()
		if f.optional {
			p["pattern"] = "^$|" + f.pattern.String()
		}
	} else if !f.optional {
		p["minLength"] = 1
	}
	return p
}

// fieldComments returns the comments of the package's types ("NAT") and of their fields
// ("NAT.UDP"), each as one line.
func fieldComments(t *testing.T) map[string]string {
	comments := map[string]string{}
	oneline := func(groups ...*ast.CommentGroup) string {
		var all []string
		for _, g := range groups {
			all = append(all, strings.Fields(g.Text())...)
		}
		return strings.Join(all, " ")
	}
	for _, file := range parsePackage(t) {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			spec := gen.Specs[0].(*ast.TypeSpec)
			comments[spec.Name.Name] = oneline(gen.Doc)
			body, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range body.Fields.List {
				for _, name := range f.Names {
					comments[spec.Name.Name+"."+name.Name] = oneline(f.Doc, f.Comment)
				}
			}
		}
	}
	return comments
}

func parsePackage(t *testing.T) (files []*ast.File) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// compiled returns the published schema, including formats, ready for validation.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

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
		t.Error("schema.json does not fit the types: go test ./probe/report -run TestSchemaIsCurrent -update")
	}
}

// TestSchemaNamesTheFieldsOfTheTypes walks schema and types on its own, so that
// a fault of the generator cannot hide: each property has a field, each field
// a property, and the JSON kinds agree.
func TestSchemaNamesTheFieldsOfTheTypes(t *testing.T) {
	var schema object
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(object)
	types := documentTypes()
	for name := range defs {
		if !slices.ContainsFunc(types, func(typ reflect.Type) bool { return typ.Name() == name }) {
			t.Errorf("schema defines %s, which is no type of the document", name)
		}
	}
	for _, typ := range types {
		def := schema
		if typ.Name() != "Report" {
			var ok bool
			if def, ok = defs[typ.Name()].(object); !ok {
				t.Errorf("schema does not define %s", typ.Name())
				continue
			}
		}
		properties := maps.Clone(def["properties"].(object))
		for i := range typ.NumField() {
			f := typ.Field(i)
			p, ok := properties[jsonName(f)].(object)
			if !ok {
				t.Errorf("%s: schema has no property %s", typ.Name(), jsonName(f))
				continue
			}
			delete(properties, jsonName(f))
			if words, _ := p["description"].(string); len(words) < 10 {
				t.Errorf("%s.%s has no description", typ.Name(), jsonName(f))
			}
			if got, want := p["type"], jsonType(f.Type); want != "" && got != want {
				t.Errorf("%s.%s has type %v, want %s", typ.Name(), jsonName(f), got, want)
			}
			isRequired := slices.Contains(def["required"].([]any), any(jsonName(f)))
			if isRequired == strings.Contains(f.Tag.Get("json"), "omitempty") {
				t.Errorf("%s.%s: required=%t, but its tag is %s", typ.Name(), jsonName(f), isRequired, f.Tag)
			}
		}
		for name := range properties {
			t.Errorf("%s: schema has property %s, the type has not", typ.Name(), name)
		}
	}
}

func jsonType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case t.Kind() == reflect.Interface || t.Kind() == reflect.Struct:
		return "" // held by reference or by name of the probe
	}
	return map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Float64: "number", reflect.Slice: "array", reflect.Array: "array",
	}[t.Kind()]
}

// TestUnitsStandInTheWords holds the comment of every field against its name.
func TestUnitsStandInTheWords(t *testing.T) {
	comments := fieldComments(t)
	words := map[string]string{
		"ms": "ms", "s": " s", "pct": "percent", "hz": "Hz", "dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS", "db": "dB",
		"dbm": "dBm", "kbps": "kbit/s", "mbps": "Mbit/s", "bytes": "bytes",
	}
	for _, typ := range documentTypes() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			parts := strings.Split(jsonName(f), "_")
			unit, ok := words[parts[len(parts)-1]]
			if ok && len(parts) > 1 && !strings.Contains(comments[typ.Name()+"."+f.Name], unit) {
				t.Errorf("the comment of %s.%s does not name its unit %q", typ.Name(), f.Name, unit)
			}
		}
	}
}

// TestEveryNumberIsBounded finds a new field for which no rule was thought of.
func TestEveryNumberIsBounded(t *testing.T) {
	for _, typ := range documentTypes() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			r := ruleFor(typ, f)
			switch jsonType(f.Type) {
			case "integer", "number":
				if !r.bounded {
					t.Errorf("%s.%s has no bounds", typ.Name(), f.Name)
				}
			case "string":
				if f.Type != reflect.TypeFor[time.Time]() && r.enum == nil && r.maxBytes == 0 {
					t.Errorf("%s.%s has no longest length", typ.Name(), f.Name)
				}
			}
		}
	}
}

// TestEnumsHoldEveryConstant reads the source: a constant that values() does
// not list would be refused by every collector.
func TestEnumsHoldEveryConstant(t *testing.T) {
	enums := map[string]enum{}
	for _, e := range []enum{Trigger(""), Verdict(""), Status(""), Severity(""), Area(""), CaptureState(""), Reach(""), MediaState("")} {
		enums[reflect.TypeOf(e).Name()] = e
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
			t.Errorf("%s lists %q, its constants are %q", name, got, want)
		}
	}
}

// documentTypes are all the struct types a report can hold.
func documentTypes() []reflect.Type {
	types := []reflect.Type{
		reflect.TypeFor[Report](), reflect.TypeFor[Agent](), reflect.TypeFor[Result](),
		reflect.TypeFor[Cause](), reflect.TypeFor[Evidence](), reflect.TypeFor[PathSegment](), reflect.TypeFor[TURNRelay](), reflect.TypeFor[PathPort](),
	}
	for _, name := range probeNames {
		types = append(types, reflect.TypeOf(newData(name)).Elem())
	}
	return types
}

// makeSchema writes the schema of the types, their rules and their comments.
func makeSchema(t *testing.T) []byte {
	comments := fieldComments(t)
	defs := object{}
	var root object
	for _, typ := range documentTypes() {
		def := object{
			"type": "object", "description": comments[typ.Name()], "additionalProperties": false,
			"properties": object{}, "required": []string{},
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			p := property(f.Type, ruleFor(typ, f))
			p["description"] = comments[typ.Name()+"."+f.Name]
			def["properties"].(object)[jsonName(f)] = p
			if !strings.Contains(f.Tag.Get("json"), "omitempty") {
				def["required"] = append(def["required"].([]string), jsonName(f))
			}
		}
		if typ.Name() == "Report" {
			root = def
			continue
		}
		defs[typ.Name()] = def
	}
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

// dataByName ties the type of a result's data to the name of its probe.
func dataByName() (cases []any) {
	for _, name := range probeNames {
		cases = append(cases, object{
			"if":   object{"properties": object{"name": object{"const": name}}},
			"then": object{"properties": object{"data": object{"$ref": "#/$defs/" + reflect.TypeOf(newData(name)).Elem().Name()}}},
		})
	}
	return cases
}

func property(typ reflect.Type, r rule) object {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case typ == reflect.TypeFor[any]():
		return object{"type": []string{"boolean", "number", "string"}, "maxLength": r.maxBytes}
	case typ == reflect.TypeFor[Data]():
		return object{"type": "object"}
	}
	switch typ.Kind() {
	case reflect.Struct:
		return object{"$ref": "#/$defs/" + typ.Name()}
	case reflect.Slice:
		return object{"type": "array", "maxItems": r.maxItems, "items": property(typ.Elem(), rule{})}
	case reflect.Array:
		return object{"type": "array", "minItems": typ.Len(), "maxItems": typ.Len(), "items": property(typ.Elem(), r)}
	case reflect.String:
		return stringProperty(r)
	}
	p := object{"type": jsonType(typ)}
	if r.bounded {
		p["minimum"], p["maximum"] = r.low, r.high
	}
	return p
}

func stringProperty(r rule) object {
	p := object{"type": "string"}
	if r.enum != nil {
		p["enum"] = r.enum
		if r.optional {
			p["enum"] = append([]string{""}, r.enum...)
		}
		return p
	}
	p["maxLength"] = r.maxBytes
	if r.pattern != nil {
		p["pattern"] = r.pattern.String()
		if r.optional {
			p["pattern"] = "^$|" + r.pattern.String()
		}
	} else if !r.optional {
		p["minLength"] = 1
	}
	return p
}

// fieldComments are the comments of the package's types ("NAT") and of their
// fields ("NAT.UDP"), each as one line.
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

// compiled is the published schema, ready to validate, formats included.
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

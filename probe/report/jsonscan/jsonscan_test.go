package jsonscan

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

func TestScanner(t *testing.T) {
	s := New([]byte(` { "a" : "text" , "b":[1, {"c":"]}\"\\"} ,"x",[],{} ], "d":{}, "e" : [ ],"f":-1.5e3 }  `))
	var names, values []string
	ok := s.Object(func(name []byte) bool {
		names = append(names, string(name))
		if string(name) == "b" {
			return s.Array(func() bool {
				v, ok := s.Value()
				values = append(values, string(v))
				return ok
			})
		}
		v, ok := s.Value()
		values = append(values, string(v))
		return ok
	})
	if !ok || !s.End() || !slices.Equal(names, []string{"a", "b", "d", "e", "f"}) ||
		!slices.Equal(values, []string{`"text"`, "1", `{"c":"]}\"\\"}`, `"x"`, "[]", "{}", "{}", "[ ]", "-1.5e3"}) {
		t.Errorf("got ok %v, names %q, values %q, want the six members", ok, names, values)
	}
}

// FuzzScanner compares the parts that are found with those of encoding/json.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{`{}`, `[1,2]`, `[{"a":[]},"\\\"",null]`, ` [ [ ] , 7 ] `, `"x"`, `{"a":{"b":1},"c":[]}`, `[`, `{"a"`, `["\`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New(text)
		var values []string
		ok := s.Array(func() bool {
			v, ok := s.Value()
			values = append(values, string(v))
			return ok
		})
		whole, wholeOK := New(text).Value()
		if !json.Valid(text) {
			return
		}
		if !wholeOK || !bytes.Equal(whole, bytes.TrimSpace(text)) {
			t.Errorf("%q as a whole: got %q, ok %v; want %q, true", text, whole, wholeOK, bytes.TrimSpace(text))
		}
		var list []json.RawMessage
		if json.Unmarshal(text, &list) != nil || list == nil {
			if ok {
				t.Errorf("%q is not a list, but was scanned as one: %q", text, values)
			}
			return
		}
		var want []string
		for _, v := range list {
			want = append(want, string(v))
		}
		if !ok || !s.End() || !slices.Equal(values, want) {
			t.Errorf("%q: got %q, want %q", text, values, want)
		}
	})
}

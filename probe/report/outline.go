package report

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report/jsonscan"
)

// outline contains what must be known before a document is decoded: its version, and
// the probe of each result.
type outline struct {
	Schema string     `json:"schema"`
	Probes []outlined `json:"probes"`
}

// outlined is the outline of one result.
type outlined struct {
	Name string   `json:"name"`
	Data presence `json:"data"`
}

// presence reports whether there is a value other than null.
type presence bool

// UnmarshalJSON implements json.Unmarshaler.
func (p *presence) UnmarshalJSON(b []byte) error {
	*p = string(b) != "null"
	return nil
}

// readOutline returns the outline of a document of this version.
func readOutline(b []byte) (outline, error) {
	if o, ok := scanOutline(b); ok {
		return o, nil
	}
	var o outline
	err := json.Unmarshal(b, &o)
	wrong, isWrong := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err != nil && !isWrong, isWrong && wrong.Field == "schema", isWrong && wrong.Field == "":
		return o, decodeError(err)
	case o.Schema != SchemaV1:
		// In another version, any field may have another meaning.
		return o, versionError(o.Schema)
	}
	return o, nil
}

// scanOutline returns the outline of a document in the form in which Encode writes it.
// ok is false if encoding/json might interpret the document differently, for example if
// one of the names occurs twice or in another case.
func scanOutline(b []byte) (o outline, ok bool) {
	s := jsonscan.New(b)
	schema, probes := member{name: "schema"}, member{name: "probes"}
	ok = s.Object(func(name []byte) bool {
		switch {
		case schema.is(name):
			text, ok := s.String()
			o.Schema = string(text)
			return ok && o.Schema == SchemaV1
		case probes.is(name):
			return s.Array(func() bool {
				result, ok := scanResult(s)
				o.Probes = append(o.Probes, result)
				return ok
			})
		case schema.like(name) || probes.like(name):
			return false
		}
		_, ok := s.Value()
		return ok
	})
	return o, ok && schema.found && probes.found && s.End()
}

func scanResult(s *jsonscan.Scanner) (r outlined, ok bool) {
	probe, data := member{name: "name"}, member{name: "data"}
	ok = s.Object(func(name []byte) bool {
		isData := data.is(name)
		switch {
		case probe.is(name):
			text, ok := s.String()
			r.Name = string(text)
			return ok
		case !isData && (probe.like(name) || data.like(name)):
			return false
		}
		value, ok := s.Value()
		if isData {
			r.Data = string(value) != "null"
		}
		return ok
	})
	return r, ok && probe.found
}

// member is a member of an object that must occur once.
type member struct {
	name  string
	found bool
}

// is reports whether the member has this name, and occurs for the first time.
func (m *member) is(name []byte) bool {
	if m.found || string(name) != m.name {
		return false
	}
	m.found = true
	return true
}

// like reports whether encoding/json matches this name with the member.
func (m *member) like(name []byte) bool { return strings.EqualFold(string(name), m.name) }

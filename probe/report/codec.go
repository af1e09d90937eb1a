package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrTooLarge says that a document is larger than MaxBytes.
var ErrTooLarge = errors.New("report is larger than " + strconv.Itoa(MaxBytes>>10) + " KiB")

// ErrMalformed says that a document is not JSON at all, or is cut off.
var ErrMalformed = errors.New("report is not valid JSON")

// VersionError says that a document is of a version this program cannot read.
type VersionError struct {
	// Version is the document's version; 0 when it names none.
	Version int
}

// Newer says whether the document comes from a newer program than this one.
func (e *VersionError) Newer() bool { return e.Version > 1 }

func (e *VersionError) Error() string {
	switch {
	case e.Newer():
		return fmt.Sprintf("report has format version %d, this program reads version 1: update the collector", e.Version)
	case e.Version < 0:
		return "report has an older format than version 1: update the agent that sent it"
	}
	return "not a Tonprobe report: schema is not " + strconv.Quote(SchemaV1)
}

// Decode reads and validates one report. Fields that the types of this package
// do not name are dropped, and so is the data of probes this version does not
// know.
//
// The error is ErrTooLarge, ErrMalformed, a *VersionError or a
// *ValidationError.
func Decode(b []byte) (*Report, error) { return KnownProbes().Decode(b) }

// Decode is the function Decode for the probes of this set.
func (p Probes) Decode(b []byte) (*Report, error) {
	if len(b) > MaxBytes {
		return nil, ErrTooLarge
	}
	r, err := p.unmarshal(b)
	if err != nil {
		return nil, err
	}
	if err := p.Validate(r); err != nil {
		return nil, err
	}
	r.StartedAt = r.StartedAt.UTC()
	for i := range r.Probes {
		r.Probes[i].StartedAt = r.Probes[i].StartedAt.UTC()
	}
	return r, nil
}

// outline is what has to be known of a document before it is decoded: its version, and
// of which probe each result is.
type outline struct {
	Schema string `json:"schema"`
	Probes []struct {
		Name string   `json:"name"`
		Data presence `json:"data"`
	} `json:"probes"`
}

// presence says whether there is a value other than null.
type presence bool

// UnmarshalJSON implements json.Unmarshaler.
func (p *presence) UnmarshalJSON(b []byte) error {
	*p = string(b) != "null"
	return nil
}

// dropped takes data that no type is known for.
type dropped struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*dropped) UnmarshalJSON([]byte) error { return nil }

// unmarshal decodes the data of each probe into the type that belongs to its name. It
// reads the document twice. Decoding each result by itself would read its data eight
// times, since encoding/json first checks whatever it is given.
func (p Probes) unmarshal(b []byte) (*Report, error) {
	var o outline
	err := json.Unmarshal(b, &o)
	wrong, isWrong := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err != nil && !isWrong, isWrong && wrong.Field == "schema", isWrong && wrong.Field == "":
		return nil, decodeError(err)
	case o.Schema != SchemaV1:
		// In another version any field may mean another thing.
		return nil, versionError(o.Schema)
	}
	type surroundings Report
	var doc struct {
		surroundings
		Probes []plainResult `json:"probes"`
	}
	// encoding/json decodes into the elements of a slice and the values of an interface
	// that are there.
	for _, result := range o.Probes {
		r := plainResult{Data: &dropped{}}
		if d, ok := p.Find(result.Name); ok {
			r.Data = d.newData().Interface()
		}
		doc.Probes = append(doc.Probes, r)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, decodeError(err)
	}
	r := Report(doc.surroundings)
	if doc.Probes != nil {
		r.Probes = make([]Result, len(doc.Probes))
	}
	for i, result := range doc.Probes {
		if _, none := result.Data.(*dropped); none || i >= len(o.Probes) || !bool(o.Probes[i].Data) {
			result.Data = nil
		}
		r.Probes[i] = Result(result)
	}
	return &r, nil
}

// Encode writes the report as Decode reads it. A report that Decode would
// refuse is not written: the error is a *ValidationError or ErrTooLarge.
func (r *Report) Encode() ([]byte, error) { return KnownProbes().Encode(r) }

// Encode is [Report.Encode] for the probes of this set.
func (p Probes) Encode(r *Report) ([]byte, error) {
	if err := p.Validate(r); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	b, err := json.Marshal(r.withoutNilLists())
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("encode report: %w", ErrTooLarge)
	}
	return b, nil
}

// withoutNilLists is r with [] where its JSON would say null, which no schema
// takes for a list.
func (r *Report) withoutNilLists() *Report {
	c := *r
	c.Probes = append([]Result{}, r.Probes...)
	c.Causes = append([]Cause{}, r.Causes...)
	for i := range c.Causes {
		c.Causes[i].Evidence = append([]Evidence{}, c.Causes[i].Evidence...)
	}
	for i := range c.Probes {
		if isNil(c.Probes[i].Data) {
			c.Probes[i].Data = nil
		}
	}
	return &c
}

func versionError(schema string) error {
	number, ok := strings.CutPrefix(schema, "tonprobe.report/v")
	if !ok {
		return &VersionError{}
	}
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n == 1:
		return &VersionError{}
	case n < 1:
		return &VersionError{Version: -1}
	}
	return &VersionError{Version: n}
}

// decodeError turns the errors of encoding/json into ours.
func decodeError(err error) error {
	if e, ok := errors.AsType[*ValidationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return wrongKind(fieldOf(e), e)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return ErrMalformed // such as a date; its text repeats the sender's bytes
}

// fieldOf is the place of a value of the wrong kind. encoding/json counts the embedded
// type that decoding uses as a field, and gives no place in a list.
func fieldOf(e *json.UnmarshalTypeError) string {
	field := strings.TrimPrefix(e.Field, "surroundings.")
	if rest, ok := strings.CutPrefix(field, "probes."); ok {
		field = "probes[]." + rest
	}
	return cmp.Or(field, "(document)")
}

// wrongKind leaves out the literal that encoding/json puts behind "number".
func wrongKind(field string, e *json.UnmarshalTypeError) error {
	kind, _, _ := strings.Cut(e.Value, " ")
	return &ValidationError{Field: field, Problem: "is a " + kind + ", want " + e.Type.Kind().String()}
}

// plainResult is Result without its methods.
type plainResult Result

// UnmarshalJSON decodes Data into the type that belongs to the probe's name.
// Fields that the type does not name are dropped, and so is the data of a
// probe that this version does not know.
func (r *Result) UnmarshalJSON(b []byte) error {
	var o struct {
		Name string   `json:"name"`
		Data presence `json:"data"`
	}
	// A value of the wrong kind is found again below.
	if err := json.Unmarshal(b, &o); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return decodeError(err)
		}
	}
	plain := plainResult{Data: &dropped{}}
	d, known := KnownProbes().Find(o.Name)
	if known {
		plain.Data = d.newData().Interface()
	}
	if err := json.Unmarshal(b, &plain); err != nil {
		return decodeError(err)
	}
	if !known || !bool(o.Data) {
		plain.Data = nil
	}
	*r = Result(plain)
	return nil
}

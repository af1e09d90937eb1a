package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrTooLarge means that a document is larger than MaxBytes.
var ErrTooLarge = errors.New("report is larger than " + strconv.Itoa(MaxBytes>>10) + " KiB")

// ErrMalformed means that a document is not JSON, or is truncated.
var ErrMalformed = errors.New("report is not valid JSON")

// VersionError means that this program cannot read the version of a document.
type VersionError struct {
	// Version is the version of the document; 0 if it has none.
	Version int
}

// Newer reports whether the document comes from a newer program than this one.
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

// Decode parses and validates one report. It drops fields that the types of this
// package do not define, and the data of probes that are not part of this version.
//
// The error is ErrTooLarge, ErrMalformed, a *VersionError or a *ValidationError.
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

// dropped discards data of an unknown type.
type dropped struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*dropped) UnmarshalJSON([]byte) error { return nil }

// unmarshal decodes the data of each probe into the type of that probe.
func (p Probes) unmarshal(b []byte) (*Report, error) {
	o, err := readOutline(b)
	if err != nil {
		return nil, err
	}
	type surroundings Report
	var doc struct {
		surroundings
		Probes []plainResult `json:"probes"`
	}
	// encoding/json decodes into existing elements of a slice and values of an
	// interface.
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

// Encode returns the document that Decode parses. It refuses a report that Decode would
// refuse: the error is a *ValidationError or ErrTooLarge.
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

// withoutNilLists returns r with [] in place of null for empty lists, as the schema
// requires.
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

// decodeError converts the errors of encoding/json into those of this package.
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
	return ErrMalformed // such as an invalid date; its text repeats bytes of the sender
}

// fieldOf returns the position of a value of the wrong kind. encoding/json counts the
// embedded type used for decoding as a field, and gives no position in a list.
func fieldOf(e *json.UnmarshalTypeError) string {
	field := strings.TrimPrefix(e.Field, "surroundings.")
	if rest, ok := strings.CutPrefix(field, "probes."); ok {
		field = "probes[]." + rest
	}
	return cmp.Or(field, "(document)")
}

// wrongKind omits the literal that encoding/json adds after "number".
func wrongKind(field string, e *json.UnmarshalTypeError) error {
	kind, _, _ := strings.Cut(e.Value, " ")
	return &ValidationError{Field: field, Problem: "is a " + kind + ", want " + e.Type.Kind().String()}
}

// plainResult is Result without its methods.
type plainResult Result

// UnmarshalJSON decodes Data into the type of the probe. It drops fields that the type
// does not define, and the data of a probe that is not part of this version.
func (r *Result) UnmarshalJSON(b []byte) error {
	var o struct {
		Name string   `json:"name"`
		Data presence `json:"data"`
	}
	// An error about the kind of a value is found again below.
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

package report

import (
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
	// The version comes first: in another version any field may mean another thing.
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, decodeError(err)
	}
	if head.Schema != SchemaV1 {
		return nil, versionError(head.Schema)
	}
	r, err := p.unmarshal(b)
	if err != nil {
		return nil, decodeError(err)
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

// unmarshal decodes the data of each probe into the type that belongs to its name.
func (p Probes) unmarshal(b []byte) (*Report, error) {
	type surroundings Report
	var doc struct {
		surroundings
		Probes []rawResult `json:"probes"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	r := Report(doc.surroundings)
	if doc.Probes != nil {
		r.Probes = make([]Result, len(doc.Probes))
	}
	for i, raw := range doc.Probes {
		var err error
		if r.Probes[i], err = p.result(raw); err != nil {
			return nil, err
		}
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

func fieldOf(e *json.UnmarshalTypeError) string {
	if e.Field == "" {
		return "(document)"
	}
	return withoutEmbedded(e.Field)
}

// withoutEmbedded takes out the names of the embedded types that decoding uses,
// which encoding/json counts as fields.
func withoutEmbedded(field string) string {
	return strings.TrimPrefix(strings.TrimPrefix(field, "surroundings."), "plainResult.")
}

// wrongKind leaves out the literal that encoding/json puts behind "number".
func wrongKind(field string, e *json.UnmarshalTypeError) error {
	kind, _, _ := strings.Cut(e.Value, " ")
	return &ValidationError{Field: field, Problem: "is a " + kind + ", want " + e.Type.Kind().String()}
}

// UnmarshalJSON decodes Data into the type that belongs to the probe's name.
// Fields that the type does not name are dropped, and so is the data of a
// probe that this version does not know.
func (r *Result) UnmarshalJSON(b []byte) (err error) {
	var raw rawResult
	if err = json.Unmarshal(b, &raw); err == nil {
		*r, err = KnownProbes().result(raw)
	}
	return err
}

// plainResult is Result without its methods.
type plainResult Result

// rawResult is a Result whose data is not decoded yet.
type rawResult struct {
	plainResult
	Data json.RawMessage `json:"data"`
}

// UnmarshalJSON names the place of a value of the wrong kind.
func (raw *rawResult) UnmarshalJSON(b []byte) error {
	type plain rawResult
	if err := json.Unmarshal(b, (*plain)(raw)); err != nil {
		return inField("probes[]", err)
	}
	return nil
}

func (p Probes) result(raw rawResult) (Result, error) {
	r := Result(raw.plainResult)
	if len(raw.Data) == 0 || string(raw.Data) == "null" {
		return r, nil
	}
	d, ok := p.Find(r.Name)
	if !ok {
		return r, nil
	}
	data := d.newData()
	if err := json.Unmarshal(raw.Data, data.Interface()); err != nil {
		return Result{}, inField("probes[].data", err)
	}
	r.Data = data.Interface()
	return r, nil
}

// inField puts the place of a nested document before the field of its error.
func inField(place string, err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := place
		if e.Field != "" {
			field += "." + withoutEmbedded(e.Field)
		}
		return wrongKind(field, e)
	}
	return err
}

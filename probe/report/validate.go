package report

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"
)

// ValidationError describes an invalid field of a report.
type ValidationError struct {
	// Field is the position in the document, such as "probes[2].data.udp_rtt_ms".
	Field string
	// Problem describes the fault without repeating the value.
	Problem string
}

func (e *ValidationError) Error() string {
	return fmt.Sprintf("report field %s %s", e.Field, e.Problem)
}

func invalid(field, problem string) *ValidationError {
	return &ValidationError{Field: field, Problem: problem}
}

// under prepends the position of the enclosing value to the field of e.
func (e *ValidationError) under(place string) *ValidationError {
	if e != nil {
		e.Field = place + "." + e.Field
	}
	return e
}

// Validate checks the report against the published schema, and against what a schema
// cannot express: one result per probe, one primary cause, valid addresses. The error
// is a *ValidationError.
func (r *Report) Validate() error { return KnownProbes().Validate(r) }

// Validate is Report.Validate for the probes of this set.
func (p Probes) Validate(r *Report) error {
	if e := validateFields(documentFields(), reflect.ValueOf(r).Elem()); e != nil {
		return e
	}
	for i := range r.Probes {
		if e := p.validateResult(r.Probes[:i], r.Probes[i]); e != nil {
			return e.under(indexed("probes", i))
		}
	}
	return r.validateCauses()
}

// documentFields returns the descriptions of the fields outside of the data of the
// probes.
var documentFields = sync.OnceValue(func() []Field {
	fields, err := describe(reflect.TypeFor[Report](), "")
	if err != nil {
		panic(err) // a tag of this package is wrong, which any test detects
	}
	return fields
})

func (p Probes) validateResult(before []Result, r Result) *ValidationError {
	for _, b := range before {
		if b.Name == r.Name {
			return invalid("name", "has another result already")
		}
	}
	if isNil(r.Data) {
		return nil
	}
	d, ok := p.Find(r.Name)
	if !ok || reflect.TypeOf(r.Data) != reflect.TypeOf(d.Data) {
		return invalid("data", "belongs to another probe")
	}
	return validateFields(d.fields, reflect.ValueOf(r.Data).Elem()).under("data")
}

func (r *Report) validateCauses() error {
	primary := false
	for i, c := range r.Causes {
		if c.Primary && primary {
			return invalid(indexed("causes", i)+".primary", "is set on a second cause")
		}
		primary = primary || c.Primary
		for j, e := range c.Evidence {
			if problem := evidenceProblem(e.Value); problem != "" {
				return invalid(indexed("causes", i)+"."+indexed("evidence", j)+".value", problem)
			}
		}
	}
	return nil
}

// evidenceRange limits the numbers in evidence.
var evidenceRange = Range{-1e15, 1e15}

// evidenceProblem describes what is wrong with a value in evidence; "" if nothing is.
func evidenceProblem(value any) string {
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.Bool:
		return ""
	case v.CanInt(), v.CanUint():
		return ""
	case v.CanFloat():
		return (&Field{Range: evidenceRange}).numberProblem(v.Float())
	case v.Kind() == reflect.String:
		return (&Field{MaxBytes: maxLongText, optional: true}).textProblem(v.String())
	}
	return "is neither a bool nor a number nor a string"
}

// validateFields checks every field of the struct v against its description.
func validateFields(fields []Field, v reflect.Value) *ValidationError {
	for i := range fields {
		if e := fields[i].validate(v.Field(fields[i].index)); e != nil {
			return e
		}
	}
	return nil
}

func (f *Field) validate(v reflect.Value) *ValidationError {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	problem := ""
	switch f.Kind {
	case KindTime:
		problem = timeProblem(v.Interface().(time.Time))
	case KindText, KindChoice:
		problem = f.textProblem(v.String())
	case KindCount:
		problem = f.numberProblem(float64(v.Int()))
	case KindNumber:
		problem = f.numberProblem(v.Float())
	case KindInterval:
		return f.validateInterval(v)
	case KindGroup:
		return validateFields(f.Fields, v).under(f.Name)
	case KindList:
		return f.validateList(v)
	}
	if problem != "" {
		return invalid(f.Name, problem)
	}
	return nil
}

func (f *Field) validateList(v reflect.Value) *ValidationError {
	if v.Len() > f.MaxItems {
		return invalid(f.Name, fmt.Sprintf("has more than %d entries", f.MaxItems))
	}
	for i := range v.Len() {
		if e := validateFields(f.Fields, v.Index(i)); e != nil {
			return e.under(indexed(f.Name, i))
		}
	}
	return nil
}

func (f *Field) validateInterval(v reflect.Value) *ValidationError {
	for i := range v.Len() {
		if problem := f.numberProblem(v.Index(i).Float()); problem != "" {
			return invalid(indexed(f.Name, i), problem)
		}
	}
	if v.Index(0).Float() > v.Index(1).Float() {
		return invalid(f.Name, "has its ends in the wrong order")
	}
	return nil
}

func indexed(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }

// timeProblem accepts any date that a wrong clock can show, because the clock may be
// the finding. It refuses only what RFC 3339 cannot represent.
func timeProblem(t time.Time) string {
	switch y := t.UTC().Year(); {
	case t.IsZero():
		return "is missing"
	case y < 1 || y > 9999:
		return "is out of range"
	}
	return ""
}

// isNil reports whether there is no data: nil, or a nil pointer.
func isNil(d Data) bool {
	v := reflect.ValueOf(d)
	return d == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

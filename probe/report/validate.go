package report

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// ValidationError says which field of a report is wrong.
type ValidationError struct {
	// Field is the place in the document, such as "probes[2].data.udp_rtt_ms".
	Field string
	// Problem says what is wrong with it, without repeating the value.
	Problem string
}

func (e *ValidationError) Error() string {
	return fmt.Sprintf("report field %s %s", e.Field, e.Problem)
}

func invalid(field, problem string) error { return &ValidationError{Field: field, Problem: problem} }

// Validate holds the report against the limits of the published schema and
// against what a schema cannot say: one result per probe, one primary cause,
// addresses that are addresses. The error is a *ValidationError.
func (r *Report) Validate() error {
	if err := validateStruct("", reflect.ValueOf(r).Elem()); err != nil {
		return err
	}
	if err := r.validateProbes(); err != nil {
		return err
	}
	return r.validateCauses()
}

func (r *Report) validateProbes() error {
	seen := make(map[string]bool, len(r.Probes))
	for i, p := range r.Probes {
		field := fmt.Sprintf("probes[%d]", i)
		if seen[p.Name] {
			return invalid(field+".name", "has another result already")
		}
		seen[p.Name] = true
		if isNil(p.Data) {
			continue
		}
		if p.Data.probeName() != p.Name {
			return invalid(field+".data", "belongs to another probe")
		}
		if err := validateStruct(field+".data", reflect.ValueOf(p.Data).Elem()); err != nil {
			return err
		}
		if a := publicAddress(p.Data); a != nil && *a != "" && !isAddressText(*a) {
			return invalid(field+".data.public_address", "is no address")
		}
	}
	return nil
}

func (r *Report) validateCauses() error {
	primary := false
	for i, c := range r.Causes {
		field := fmt.Sprintf("causes[%d]", i)
		if c.Primary && primary {
			return invalid(field+".primary", "is set on a second cause")
		}
		primary = primary || c.Primary
		for j, e := range c.Evidence {
			if problem := evidenceProblem(e.Value); problem != "" {
				return invalid(fmt.Sprintf("%s.evidence[%d].value", field, j), problem)
			}
		}
	}
	return nil
}

// evidenceProblem says what is wrong with the value of an Evidence, or "".
func evidenceProblem(value any) string {
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.Bool:
		return ""
	case v.CanInt(), v.CanUint():
		return ""
	case v.CanFloat():
		return rule{low: -1e15, high: 1e15, bounded: true}.numberProblem(v.Float())
	case v.Kind() == reflect.String:
		return rule{maxBytes: maxLongText, optional: true}.textProblem(v.String())
	}
	return "is neither a bool nor a number nor a string"
}

// validateStruct holds every field of v against its rule.
func validateStruct(path string, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		field := strings.TrimPrefix(path+"."+jsonName(f), ".")
		if err := validateValue(field, ruleFor(v.Type(), f), v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func validateValue(field string, r rule, v reflect.Value) error {
	if t, ok := v.Interface().(time.Time); ok {
		return validateTime(field, t)
	}
	problem := ""
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return validateValue(field, r, v.Elem())
	case reflect.Struct:
		return validateStruct(field, v)
	case reflect.String:
		problem = r.textProblem(v.String())
	case reflect.Int, reflect.Int64:
		problem = r.numberProblem(float64(v.Int()))
	case reflect.Float64:
		problem = r.numberProblem(v.Float())
	case reflect.Array, reflect.Slice:
		return validateList(field, r, v)
	}
	if problem != "" {
		return invalid(field, problem)
	}
	return nil
}

func validateList(field string, r rule, v reflect.Value) error {
	if r.maxItems > 0 && v.Len() > r.maxItems {
		return invalid(field, fmt.Sprintf("has more than %d entries", r.maxItems))
	}
	for i := range v.Len() {
		if err := validateValue(fmt.Sprintf("%s[%d]", field, i), r, v.Index(i)); err != nil {
			return err
		}
	}
	if interval, ok := v.Interface().(Interval); ok && interval[0] > interval[1] {
		return invalid(field, "has its ends in the wrong order")
	}
	return nil
}

// validateTime takes every date a wrong clock can show: that clock may be the
// very finding. Only what RFC 3339 cannot write is refused.
func validateTime(field string, t time.Time) error {
	switch y := t.UTC().Year(); {
	case t.IsZero():
		return invalid(field, "is missing")
	case y < 1 || y > 9999:
		return invalid(field, "is out of range")
	}
	return nil
}

// publicAddress is the field of d that holds the participant's address.
func publicAddress(d Data) *string {
	switch d := d.(type) {
	case *NAT:
		return &d.PublicAddress
	case *NATBehavior:
		return &d.PublicAddress
	}
	return nil
}

// isNil says whether there is no data: none at all, or a nil pointer in it.
func isNil(d Data) bool { return d == nil || reflect.ValueOf(d).IsNil() }

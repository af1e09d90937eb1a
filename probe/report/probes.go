package report

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Data is what a probe measured: a pointer to the type given by the probe's
// description.
type Data any

// Interval is a 95 % confidence interval; both ends have the unit of the field.
type Interval [2]float64

// Probe describes one probe. Validation, redaction, the schema, the screens and the
// dashboard are derived from it.
type Probe struct {
	// Name is the probe's name, as in Result.Name.
	Name string
	// Data is a nil pointer to the type of the probe's data. Its fields are described
	// by their tags, see Field.
	Data Data
	// Labels replaces the name in the label keys, for probes that share a data type; ""
	// means the name.
	Labels string
	// Supporting means that the probe only adds to a finding and never delays a
	// verdict: if it has no result, nothing counts as untested.
	Supporting bool
	// Remote means that the probe has nothing to measure if the server runs on this
	// computer: if skipped, it counts as not needed instead of untested.
	Remote bool
	// Against is the server that the probe measures; fields may differ.
	Against Against

	fields []Field
}

// Against is the server that a probe or a field measures.
type Against string

const (
	AgainstNone       Against = "" // no server
	AgainstReflector  Against = "reflector"
	AgainstCollector  Against = "collector"
	AgainstConference Against = "conference"
	// AgainstTarget is the conference server if one was checked, otherwise the collector.
	AgainstTarget Against = "target"
	// AgainstSegment means that the value is a segment of the path, or names one. Only the
	// last segment ends at the target.
	AgainstSegment Against = "segment"
)

// MeasuredAgainst returns the server that a field measures, whose name is as in Field.
func (p Probe) MeasuredAgainst(field string) Against {
	f, _ := p.Field(field)
	return cmp.Or(f.against, p.Against)
}

// Fields returns the descriptions of the fields, in the order of the document.
func (p Probe) Fields() []Field { return p.fields }

// Field returns the description of a field by its name in the document. The name of a
// field in a group or in the entries of a list is preceded by that of the group or list
// and a dot: "media.path".
func (p Probe) Field(name string) (Field, bool) { return fieldIn(p.fields, name) }

func fieldIn(fields []Field, name string) (Field, bool) {
	outer, inner, nested := strings.Cut(name, ".")
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == outer })
	switch {
	case i < 0:
		return Field{}, false
	case nested:
		return fieldIn(fields[i].Fields, inner)
	}
	return fields[i], true
}

// Shown returns the fields that people see at a place, in order.
func (p Probe) Shown(at Place) (shown []Field) {
	for _, f := range p.fields {
		if f.ShownAt(at) {
			shown = append(shown, f)
		}
	}
	return shown
}

func (p Probe) newData() reflect.Value { return reflect.New(reflect.TypeOf(p.Data).Elem()) }

// Probes is an immutable set of described probes in display order. The zero value
// contains the probes of this version.
type Probes struct{ list []Probe }

// KnownProbes returns the probes of this version.
func KnownProbes() Probes { return known() }

var known = sync.OnceValue(func() Probes {
	all, err := describeProbes(nil, slices.Concat(audioProbes(), networkProbes(), natProbes(), mediaProbes(), conferenceProbes(), hostProbes()))
	if err != nil {
		panic(err) // a tag of this package is wrong, which any test detects
	}
	return Probes{all}
})

// With returns the set with further probes at its end. The error describes an invalid
// description.
func (p Probes) With(more ...Probe) (Probes, error) {
	all, err := describeProbes(slices.Clone(p.All()), more)
	return Probes{all}, err
}

func describeProbes(all, more []Probe) ([]Probe, error) {
	for _, p := range more {
		if t := reflect.TypeOf(p.Data); t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return nil, fmt.Errorf("describe %s: its data is not a pointer to a struct", p.Name)
		}
		if !patternName.MatchString(p.Name) || slices.ContainsFunc(all, func(o Probe) bool { return o.Name == p.Name }) {
			return nil, fmt.Errorf("describe %s: the name is taken or has the wrong form", p.Name)
		}
		var err error
		if p.fields, err = describe(reflect.TypeOf(p.Data).Elem(), "field."+cmp.Or(p.Labels, p.Name)); err != nil {
			return nil, fmt.Errorf("describe %s: %w", p.Name, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// All returns all probes of the set.
func (p Probes) All() []Probe {
	if p.list == nil {
		return known().list
	}
	return p.list
}

// Index returns the position of a probe in the set; -1 if the set does not contain it.
func (p Probes) Index(name string) int {
	return slices.IndexFunc(p.All(), func(d Probe) bool { return d.Name == name })
}

// Find returns the description of a probe, and whether the set contains it.
func (p Probes) Find(name string) (Probe, bool) {
	i := p.Index(name)
	if i < 0 {
		return Probe{}, false
	}
	return p.All()[i], true
}

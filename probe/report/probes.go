package report

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Data is what a probe measured: a pointer to the type that the probe's
// description names.
type Data any

// Interval is a 95 % confidence interval, both ends in the unit of its field.
type Interval [2]float64

// Probe describes one probe to whatever reads reports: validation, redaction, the
// schema, the screens and the dashboard are rendered from it.
type Probe struct {
	// Name is the probe's name, as in Result.Name.
	Name string
	// Data is a nil pointer to the type of its data. The fields of that type
	// describe themselves by their tags, see Field.
	Data Data
	// Labels replaces the name in the keys of the labels, for probes that share a type
	// of data; "" is the name.
	Labels string
	// Supporting is set where the probe adds to a finding and never holds up a
	// verdict: where it could not tell, nothing counts as untested.
	Supporting bool
	// Remote is set where the probe has nothing to measure if the server runs on
	// this computer: skipped, it counts as not needed, not as untested.
	Remote bool

	fields []Field
}

// Fields describes the fields of the probe's data, in the order of the document.
func (p Probe) Fields() []Field { return p.fields }

// Field returns the description of one field by its name in the document. A field of a
// group, or of the entries of a list, has its name and a dot before its own: "media.path".
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

// Shown returns the fields that people see at a place, in their order.
func (p Probe) Shown(at Place) (shown []Field) {
	for _, f := range p.fields {
		if f.ShownAt(at) {
			shown = append(shown, f)
		}
	}
	return shown
}

func (p Probe) newData() reflect.Value { return reflect.New(reflect.TypeOf(p.Data).Elem()) }

// Probes is a set of described probes, in the order in which people see them. It
// does not change; the zero value is the probes of this version.
type Probes struct{ list []Probe }

// KnownProbes returns the probes of this version.
func KnownProbes() Probes { return known() }

var known = sync.OnceValue(func() Probes {
	all, err := describeProbes(nil, slices.Concat(audioProbes(), networkProbes(), natProbes(), mediaProbes(), conferenceProbes(), hostProbes()))
	if err != nil {
		panic(err) // a tag of this package is wrong, which every test sees
	}
	return Probes{all}
})

// With returns the set with further probes at its end. The error says what is
// wrong with a description.
func (p Probes) With(more ...Probe) (Probes, error) {
	all, err := describeProbes(slices.Clone(p.All()), more)
	return Probes{all}, err
}

func describeProbes(all, more []Probe) ([]Probe, error) {
	for _, p := range more {
		if t := reflect.TypeOf(p.Data); t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return nil, fmt.Errorf("describe %s: its data is no pointer to a struct", p.Name)
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

// All returns every probe of the set.
func (p Probes) All() []Probe {
	if p.list == nil {
		return known().list
	}
	return p.list
}

// Index is the place of a probe in the order of the set; -1 for a name that is not
// in it.
func (p Probes) Index(name string) int {
	return slices.IndexFunc(p.All(), func(d Probe) bool { return d.Name == name })
}

// Find returns the description of a probe, and whether the set has it.
func (p Probes) Find(name string) (Probe, bool) {
	i := p.Index(name)
	if i < 0 {
		return Probe{}, false
	}
	return p.All()[i], true
}

package report

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Kind is what a field holds.
type Kind string

// The kinds. A field that a pointer holds has the kind of what it points to.
const (
	KindFlag     Kind = "flag"     // true or false
	KindCount    Kind = "count"    // a whole number
	KindNumber   Kind = "number"   // any other number
	KindInterval Kind = "interval" // an Interval
	KindText     Kind = "text"
	KindChoice   Kind = "choice" // one word of a closed list
	KindTime     Kind = "time"
	KindList     Kind = "list"  // entries with fields of their own
	KindGroup    Kind = "group" // fields of their own
	KindAny      Kind = "any"   // a flag, a number or a text; or the data of a probe
)

// Place is where people see a field. Places are joined by |.
type Place uint8

// The places.
const (
	Summary   Place = 1 << iota // told with the verdict
	Details                     // the details on the participant's screen
	Dashboard                   // the participant's page on the dashboard
	Analysis                    // what `tonprobe analyze` tells of a file
)

// Range is what a number may be, both ends included.
type Range struct{ Low, High float64 }

func (r Range) holds(v float64) bool { return v >= r.Low && v <= r.High } // NaN is in no range

// privacy is what of a text may name a person, and is taken out before it travels.
type privacy string

const (
	privateAddress privacy = "address" // cut to its network, see Truncate
	privateDevice  privacy = "device"  // loses its owner's name, see DeviceName
)

// Field describes one field of a report. Validation, redaction, the published
// schema and everything that shows measured values read it, so that they agree.
//
// It is made from the name, the type and the tags of a struct field:
//
//	json     the name in the document; its suffix tells the unit
//	show     the places where people see it (summary, details, dashboard,
//	         analysis), or never; every field of a probe's data states it
//	range    low..high, where the unit's own limits do not fit
//	oneof    the words that a text may be
//	list     the same for words that a list of the program names
//	form     the pattern of a text
//	max      the most bytes of a text or entries of a list
//	empty    "no" where a text must not be empty
//	private  what of a text has to be taken out: address or device
type Field struct {
	Name string // in the document
	Kind Kind
	// LabelKey is the key of the field's name for people, among the texts of
	// package diagnose; "" for the fields around a probe's data.
	LabelKey string
	// Unit is the unit as people write it; "" for a field without.
	Unit string
	// Range is what a count, a number and both ends of an interval may be.
	Range Range
	// Values are the words that a choice may be.
	Values []string
	// MaxBytes bounds a text, MaxItems a list.
	MaxBytes, MaxItems int
	// Fields describes the entries of a list, or a group.
	Fields []Field

	index    int // of the struct field
	shown    Place
	pattern  *regexp.Regexp
	optional bool // a text that may be empty
	clamped  bool // see unit
	private  privacy
}

// ShownAt reports whether people see the field at a place.
func (f Field) ShownAt(at Place) bool { return f.shown&at != 0 }

// IsAddress reports whether the field holds a public address, or the network that
// is left of it.
func (f Field) IsAddress() bool { return f.private == privateAddress }

// Patterns of the strings that programs act on. All are anchored, and all mean
// the same in RE2 and in ECMA 262, which the schema needs.
var (
	patternUUID   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	patternUUIDv7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	patternCase   = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}$`)
	patternName   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	patternCode   = regexp.MustCompile(`^(audio|net|conf|host|fleet)\.[a-z0-9_]+$`)
	patternField  = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)
	patternWord   = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)
	patternTarget = regexp.MustCompile(`^(https?|wss?|rtmps?)://[A-Za-z0-9.:_\[\]-]+/?$`)
	patternHost   = regexp.MustCompile(`^[A-Za-z0-9.:_-]+$`)
	patternNet    = regexp.MustCompile(`^[0-9a-f.:]+(/[0-9]{1,3})?$`)
)

// textProblem says what is wrong with s, or "". It never repeats s: what a
// stranger sent does not belong into our logs.
func (f *Field) textProblem(s string) string {
	switch {
	case s == "" && f.optional:
		return ""
	case f.Kind == KindChoice && !slices.Contains(f.Values, s):
		return "is none of " + strings.Join(f.Values, ", ")
	case f.Kind == KindChoice:
		return ""
	case len(s) > f.MaxBytes:
		return "is too long"
	case s == "":
		return "is missing"
	case !isOneLine(s):
		return "holds control or invisible characters"
	case f.pattern != nil && !f.pattern.MatchString(s):
		return "does not have the form " + f.pattern.String()
	case f.private == privateAddress && !isAddressText(s):
		return "is no address"
	}
	return ""
}

// numberProblem says what is wrong with v, or "".
func (f *Field) numberProblem(v float64) string {
	if !f.Range.holds(v) {
		return "is out of range"
	}
	return ""
}

// describe describes the fields of a struct type. The keys of their names begin
// with labels; where that is "", people see none of them.
func describe(t reflect.Type, labels string) ([]Field, error) {
	fields := make([]Field, t.NumField())
	for i := range fields {
		f := t.Field(i)
		var err error
		if fields[i], err = describeField(f, labels); err != nil {
			return nil, fmt.Errorf("field %s.%s: %w", t.Name(), f.Name, err)
		}
	}
	return fields, nil
}

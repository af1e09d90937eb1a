package report

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Kind is the kind of value of a field.
type Kind string

// The kinds. A pointer field has the kind of the value that it points to.
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

// Place is a set of places where people see a field.
type Place uint8

// The places.
const (
	Summary   Place = 1 << iota // with the verdict
	Details                     // the details on the participant's screen
	Dashboard                   // the participant's page on the dashboard
	Analysis                    // the output of `tonprobe analyze`
)

// Range is an interval of numbers that includes both ends.
type Range struct{ Low, High float64 }

func (r Range) holds(v float64) bool { return v >= r.Low && v <= r.High } // NaN is in no range

// privacy is the kind of personal data in a text that is removed before the report is
// sent.
type privacy string

const (
	privateAddress privacy = "address" // truncated to its network, see Truncate
	privateDevice  privacy = "device"  // without its owner's name, see DeviceName
)

// Field describes one field of a report. Validation, redaction, the published schema
// and everything that shows measured values use it, so that they agree.
//
// It is derived from the name, the type and the tags of a struct field:
//
//	json     the name in the document; its suffix gives the unit
//	show     the places where people see it (summary, details, dashboard,
//	         analysis), or never; required for the data of a probe
//	range    low..high, if the limits of the unit do not fit
//	oneof    the permitted words
//	list     the permitted words, by the name of a list of this program
//	form     the pattern of a text
//	max      the maximum of bytes of a text or of entries of a list
//	empty    "no" if a text must not be empty
//	private  the personal data to remove: address or device
//	absent   "nothing" if an absent value is no missing measurement
//	against  the server that it measures, if not that of its probe
type Field struct {
	Name string // in the document
	Kind Kind
	// LabelKey is the key of the field's display name in the texts of package diagnose;
	// "" for fields outside of a probe's data.
	LabelKey string
	// Unit is the unit for display; "" for none.
	Unit string
	// Range limits a count, a number and both ends of an interval.
	Range Range
	// Values are the permitted words of a choice.
	Values []string
	// MaxBytes limits a text, MaxItems a list.
	MaxBytes, MaxItems int
	// Fields describes the entries of a list or the fields of a group.
	Fields []Field

	index    int // of the struct field
	shown    Place
	pattern  *regexp.Regexp
	optional bool // a text that may be empty
	clamped  bool // see unit
	private  privacy
	against  Against

	absentIsNothing bool
}

// AbsentIsNothing reports whether an absent value means that there was nothing to report,
// such as no failed step, and not that it was not measured.
func (f Field) AbsentIsNothing() bool { return f.absentIsNothing }

// ShownAt reports whether people see the field at a place.
func (f Field) ShownAt(at Place) bool { return f.shown&at != 0 }

// IsAddress reports whether the field contains a public address or its network.
func (f Field) IsAddress() bool { return f.private == privateAddress }

// IsHost reports whether the field holds the name of a server.
func (f Field) IsHost() bool { return f.pattern == patternHost }

// Patterns of the strings that programs interpret. All are anchored and have the same
// meaning in RE2 and in ECMA 262, which the schema requires.
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

// textProblem describes what is wrong with s; "" if nothing is. It never repeats s,
// because the sender's bytes must not enter our logs.
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

// numberProblem describes what is wrong with v; "" if nothing is.
func (f *Field) numberProblem(v float64) string {
	if !f.Range.holds(v) {
		return "is out of range"
	}
	return ""
}

// describe returns the descriptions of the fields of a struct type. Their label keys
// begin with labels; "" means that people do not see the fields.
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

package report

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Default limits of texts in bytes.
const (
	maxShortText = 64  // units, versions
	maxLongText  = 200 // device names, limits in words
)

// maxCount is the maximum of any count in a report.
const maxCount = 1e9

// describeField derives a description from the type and the tags of a struct field.
func describeField(s reflect.StructField, labels string) (Field, error) {
	name, _, _ := strings.Cut(s.Tag.Get("json"), ",")
	if name == "" {
		return Field{}, errors.New("has no json name")
	}
	f := Field{Name: name, index: s.Index[0], absentIsNothing: s.Tag.Get("absent") == "nothing", against: Against(s.Tag.Get("against"))}
	if !slices.Contains([]Against{AgainstNone, AgainstReflector, AgainstCollector, AgainstConference, AgainstTarget, AgainstSegment}, f.against) {
		return Field{}, fmt.Errorf("measures an unknown server %q", f.against)
	}
	if labels != "" {
		f.LabelKey = labels + "." + name
		var err error
		if f.shown, err = parsePlaces(s.Tag.Get("show")); err != nil {
			return Field{}, err
		}
	}
	t := s.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var err error
	switch {
	case t == reflect.TypeFor[time.Time]():
		f.Kind = KindTime
	case t.Kind() == reflect.Interface:
		f.Kind = KindAny
		f.MaxBytes, err = tagNumber(s.Tag, "max", maxLongText)
	case t.Kind() == reflect.Bool:
		f.Kind = KindFlag
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		f.Kind = KindCount
		err = f.measure(s.Tag, &Range{0, maxCount})
	case t.Kind() == reflect.Float64:
		f.Kind = KindNumber
		err = f.measure(s.Tag, nil)
	case t == reflect.TypeFor[Interval]():
		f.Kind = KindInterval
		err = f.measure(s.Tag, nil)
	case t.Kind() == reflect.String:
		err = f.text(t, s.Tag)
	case t.Kind() == reflect.Struct:
		f.Kind = KindGroup
		inner := f.LabelKey
		if of := s.Tag.Get("labels"); of != "" {
			inner = "field." + of
		}
		f.Fields, err = describe(t, inner)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		f.Kind = KindList
		if f.MaxItems, err = tagNumber(s.Tag, "max", 0); err == nil && f.MaxItems == 0 {
			err = errors.New("is a list without max")
		}
		if err == nil {
			f.Fields, err = describe(t.Elem(), f.LabelKey)
		}
	default:
		err = fmt.Errorf("a report cannot contain a %s", t)
	}
	return f, err
}

// measure sets the unit and the range of a number: the range of its tag, of its unit,
// or usual. If usual is nil, the field must have one of the others.
func (f *Field) measure(tag reflect.StructTag, usual *Range) error {
	if u, ok := unitOf(f.Name); ok {
		f.Unit, f.Range, f.clamped = u.sign, u.limits, u.clamped
		usual = &u.limits
	}
	text, ok := tag.Lookup("range")
	switch {
	case !ok && usual == nil:
		return errors.New("has neither a unit nor a range")
	case !ok:
		f.Range = *usual
		return nil
	}
	low, high, _ := strings.Cut(text, "..")
	var err1, err2 error
	f.Range.Low, err1 = strconv.ParseFloat(low, 64)
	f.Range.High, err2 = strconv.ParseFloat(high, 64)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("read the range: %w", err)
	}
	f.clamped = false
	return nil
}

// text sets the constraints of a text.
func (f *Field) text(t reflect.Type, tag reflect.StructTag) error {
	f.Kind, f.optional = KindText, tag.Get("empty") != "no"
	f.private = privacy(tag.Get("private"))
	if f.private != "" && f.private != privateAddress && f.private != privateDevice {
		return fmt.Errorf("unknown kind of personal data %q", f.private)
	}
	if closed, ok := reflect.Zero(t).Interface().(enum); ok {
		f.Kind, f.Values, f.optional = KindChoice, closed.values(), false
		return nil
	}
	if words := tag.Get("oneof"); words != "" {
		f.Kind, f.Values = KindChoice, strings.Fields(words)
		return nil
	}
	if name := tag.Get("list"); name != "" {
		list := map[string]func() []string{"bluetooth codecs": BluetoothCodecs, "programs": Programs}[name]
		if list == nil {
			return fmt.Errorf("unknown list %q", name)
		}
		f.Kind, f.Values = KindChoice, list()
		return nil
	}
	if name := tag.Get("form"); name != "" {
		if f.pattern = forms[name]; f.pattern == nil {
			return fmt.Errorf("unknown form %q", name)
		}
	}
	var err error
	f.MaxBytes, err = tagNumber(tag, "max", maxLongText)
	return err
}

// forms maps the names used in tags to patterns.
var forms = map[string]*regexp.Regexp{
	"uuid": patternUUID, "uuidv7": patternUUIDv7, "case": patternCase, "name": patternName, "code": patternCode,
	"field": patternField, "word": patternWord, "target": patternTarget, "net": patternNet, "host": patternHost,
}

func parsePlaces(tag string) (places Place, err error) {
	if tag == "never" {
		return 0, nil
	}
	named := map[string]Place{"summary": Summary, "details": Details, "dashboard": Dashboard, "analysis": Analysis}
	for word := range strings.FieldsSeq(tag) {
		place, ok := named[word]
		if !ok {
			return 0, fmt.Errorf("unknown place %q", word)
		}
		places |= place
	}
	if places == 0 {
		return 0, errors.New("does not state where it is shown")
	}
	return places, nil
}

func tagNumber(tag reflect.StructTag, key string, usual int) (int, error) {
	text, ok := tag.Lookup(key)
	if !ok {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	return n, nil
}

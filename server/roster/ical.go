package roster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a calendar.
const (
	maxEvents      = 20_000
	maxRecurrences = 2_000 // of all events within the window
	maxLineBytes   = 1 << 20
	maxLines       = 1_000_000 // each may need some hundred bytes of memory
	maxDepth       = 8
)

// Calendar is a calendar in the format iCalendar (RFC 5545).
type Calendar struct {
	Window Window
	// Local is the zone of times without one (RFC 5545: floating times).
	Local *time.Location
}

// ReadURL requests a calendar and reads it. webcal:// means https://.
func (c Calendar) ReadURL(ctx context.Context, address string, a Access) (*Roster, error) {
	address = strings.TrimSpace(address)
	if rest, ok := strings.CutPrefix(address, "webcal://"); ok {
		address = "https://" + rest
	}
	f, err := newFetcher(address, a)
	if err != nil {
		return nil, err
	}
	b, err := f.get(ctx, f.origin, "text/calendar, text/plain;q=0.5")
	if err != nil {
		return nil, withoutQuery(err, f.origin)
	}
	return c.Read(b)
}

// withoutQuery removes the path and the query from the address in an error: those of a calendar for
// sharing contain its secret.
func withoutQuery(err error, u *url.URL) error {
	text := strings.ReplaceAll(err.Error(), u.String(), u.Scheme+"://"+u.Host+"/…")
	return &addressError{text, err}
}

type addressError struct {
	text string
	err  error
}

func (e *addressError) Error() string { return e.text }
func (e *addressError) Unwrap() error { return e.err }

// Read reads the content of a calendar file.
func (c Calendar) Read(b []byte) (*Roster, error) {
	if len(b) > MaxDocumentBytes {
		return nil, fmt.Errorf("the calendar is %w: it has %d bytes, at most %d are read", ErrTooLarge, len(b), MaxDocumentBytes)
	}
	r := &calendarReader{Calendar: c, roster: &Roster{Complete: true, Until: c.Window.Until}, zones: map[string]*zone{}, locations: map[string]*time.Location{}, skipped: map[string]skipped{}, whole: map[string]string{}, budget: maxDays}
	root, err := r.parse(utf8Text(joinLetters(b)))
	if err != nil {
		return nil, err
	}
	if err := r.read(root); err != nil {
		return nil, err
	}
	return r.roster, nil
}

// joinLetters returns a calendar without the folds of its lines if that makes it valid UTF-8: some
// programs fold between the bytes of one letter (RFC 5545, 3.1).
func joinLetters(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	joined := b
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n ", "\n\t"} {
		joined = bytes.ReplaceAll(joined, []byte(fold), nil)
	}
	if utf8.Valid(joined) {
		return joined
	}
	return b
}

// property is one line of a calendar.
type property struct {
	name   string            // upper case
	params map[string]string // nil if there are none
	value  string            // as written
}

// component is the part of a calendar between BEGIN and END.
type component struct {
	name       string
	properties []property
	parts      []*component
}

// find returns the first property with a name.
func (c *component) find(name string) (property, bool) {
	for _, p := range c.properties {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

// text returns a property as text, in one line.
func (c *component) text(name string) string {
	p, _ := c.find(name)
	return tidy(unescape.Replace(p.value))
}

// uid returns the identifier of an event. A long one ends with its hash: those of Exchange may differ
// only at their ends.
func (c *component) uid() string {
	p, _ := c.find("UID")
	uid := c.text("UID")
	if isShortened(uid) {
		sum := sha256.Sum256([]byte(p.value))
		uid += "#" + hex.EncodeToString(sum[:8])
	}
	return uid
}

// isShortened reports whether an identifier may be the beginning of a longer one.
func isShortened(uid string) bool { return utf8.RuneCountInString(uid) == maxTextRunes }

var unescape = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`)

// parse splits a calendar into its components. Lines that cannot be read are counted and
// skipped: some programs break long texts without the space that marks a continuation.
func (r *calendarReader) parse(text []byte) (*component, error) {
	root := &component{}
	stack, broken, lines := []*component{root}, 0, 0
	for line, err := range unfold(string(text)) {
		if err != nil {
			return nil, err
		}
		if lines++; lines > maxLines {
			return nil, fmt.Errorf("the calendar is %w: it has more than %d lines", ErrTooLarge, maxLines)
		}
		p, ok := parseLine(line)
		if !ok {
			broken++
			continue
		}
		top := stack[len(stack)-1]
		switch p.name {
		case "BEGIN":
			if len(stack) > maxDepth {
				return nil, fmt.Errorf("the calendar is %w: its components are nested more than %d levels deep", ErrTooLarge, maxDepth)
			}
			part := &component{name: strings.ToUpper(strings.TrimSpace(p.value))}
			top.parts, stack = append(top.parts, part), append(stack, part)
		case "END":
			if name := strings.ToUpper(strings.TrimSpace(p.value)); len(stack) == 1 || top.name != name {
				return nil, fmt.Errorf("%w: END:%.40s where %.40q should end", ErrFormat, name, top.name)
			}
			stack = stack[:len(stack)-1]
		default:
			top.properties = append(top.properties, p)
		}
	}
	switch {
	case len(root.parts) == 0 || root.parts[0].name != "VCALENDAR":
		return nil, fmt.Errorf("%w: this is not an iCalendar file, which begins with BEGIN:VCALENDAR", ErrFormat)
	case len(stack) > 1:
		return nil, fmt.Errorf("%w: the calendar ends within %.40q: it was cut off", ErrFormat, stack[len(stack)-1].name)
	}
	if broken > 0 {
		r.roster.note("%d lines of the calendar could not be read and were skipped.", broken)
	}
	return root, nil
}

// unfold yields the lines of a calendar. A line that begins with a space continues the one
// before. Empty lines are skipped.
func unfold(text string) func(yield func(string, error) bool) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return func(yield func(string, error) bool) {
		var line strings.Builder
		for raw := range strings.SplitSeq(text, "\n") {
			if raw != "" && (raw[0] == ' ' || raw[0] == '\t') && line.Len() > 0 {
				if line.Len()+len(raw) > maxLineBytes {
					yield("", fmt.Errorf("the calendar is %w: a line has more than %d bytes", ErrTooLarge, maxLineBytes))
					return
				}
				line.WriteString(raw[1:])
				continue
			}
			if line.Len() > 0 && !yield(line.String(), nil) {
				return
			}
			line.Reset()
			line.WriteString(strings.TrimLeft(raw, " \t"))
		}
		if line.Len() > 0 {
			yield(line.String(), nil)
		}
	}
}

// parseLine parses NAME;PARAM=VALUE;PARAM="VALUE":VALUE.
func parseLine(line string) (property, bool) {
	end := strings.IndexAny(line, ";:")
	if end <= 0 {
		return property{}, false
	}
	p := property{name: strings.ToUpper(line[:end])}
	for _, r := range p.name {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return property{}, false
		}
	}
	if _, name, grouped := strings.Cut(p.name, "."); grouped { // vCard's groups, written by some programs
		p.name = name
	}
	rest := line[end:]
	for strings.HasPrefix(rest, ";") {
		name, value, ok := strings.Cut(rest[1:], "=")
		if !ok {
			return property{}, false
		}
		if quoted, found := strings.CutPrefix(value, `"`); found {
			if value, rest, found = strings.Cut(quoted, `"`); !found {
				return property{}, false
			}
		} else {
			// Exchange writes TZID=tzone://Microsoft/Utc without quotation marks.
			const scheme = "tzone:"
			skip := 0
			if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
				skip = len(scheme)
			}
			stop := strings.IndexAny(value[skip:], ";:") + skip
			if stop < skip {
				return property{}, false
			}
			value, rest = value[:stop], value[stop:]
		}
		if p.params == nil {
			p.params = map[string]string{}
		}
		p.params[strings.ToUpper(strings.TrimSpace(name))] = value
	}
	value, ok := strings.CutPrefix(rest, ":")
	p.value = value
	return p, ok
}

// when is a date or a time of a calendar.
type when struct {
	time.Time
	day  bool   // a date without time
	zone string // for inZone
}

var (
	errNoTime = errors.New("no time")
	errNoZone = errors.New("unknown time zone")
)

// when returns the time of a property.
func (r *calendarReader) when(p property) (when, error) {
	return r.parseWhen(strings.TrimSpace(p.value), p.params["TZID"])
}

func (r *calendarReader) parseWhen(value, zoneName string) (when, error) {
	const day, second = "20060102", "20060102T150405"
	switch {
	case len(value) == len(day):
		t, err := time.ParseInLocation(day, value, r.Local)
		return r.checked(when{t, true, ""}, err, value)
	case len(value) == len(second)+1 && strings.HasSuffix(value, "Z"):
		t, err := time.Parse(second, strings.TrimSuffix(value, "Z"))
		return r.checked(when{t, false, "UTC"}, err, value)
	case len(value) == len("20060102T1504"):
		value += "00"
	}
	wall, err := time.Parse(second, value)
	if err != nil {
		return r.checked(when{}, err, value)
	}
	if zoneName == "" {
		zoneName = r.zoneName
	}
	t, ok := r.inZone(wall, zoneName)
	if !ok {
		return when{}, fmt.Errorf("%w %.60q", errNoZone, zoneName)
	}
	return r.checked(when{t, false, zoneName}, nil, value)
}

func (r *calendarReader) checked(w when, err error, value string) (when, error) {
	if err != nil || w.Year() < 1 || w.Year() > 9998 {
		return when{}, fmt.Errorf("%w: %.40q", errNoTime, value)
	}
	return w, nil
}

// parseDuration parses a duration such as P1DT2H30M or PT90M (RFC 5545, 3.3.6); ok is false if it
// is none, or negative. Days of a duration are days of the calendar.
func parseDuration(s string) (days int, rest time.Duration, ok bool) {
	s = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "+")
	s, ok = strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return 0, 0, false
	}
	number, digits, inTime := 0, 0, false
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9' && digits < 6:
			number, digits = number*10+int(c-'0'), digits+1
			continue
		case c == 'T' && !inTime && digits == 0:
			inTime = true
			continue
		case digits == 0:
			return 0, 0, false
		case c == 'W' && !inTime:
			days += 7 * number
		case c == 'D' && !inTime:
			days += number
		case c == 'H' && inTime:
			rest += time.Duration(number) * time.Hour
		case c == 'M' && inTime:
			rest += time.Duration(number) * time.Minute
		case c == 'S' && inTime:
			rest += time.Duration(number) * time.Second
		default:
			return 0, 0, false
		}
		number, digits = 0, 0
	}
	return days, rest, digits == 0
}

// zoneOf returns the default zone of a calendar, which some programs write (X-WR-TIMEZONE).
func zoneOf(c *component) string {
	p, _ := c.find("X-WR-TIMEZONE")
	return cmp.Or(strings.TrimSpace(p.value), p.params["VALUE"])
}

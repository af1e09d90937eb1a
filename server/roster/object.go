package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	utf16 "golang.org/x/text/encoding/unicode"
)

// object is a JSON object of an OParl server. Its methods accept common deviations from
// the standard: numbers for texts, one value for a list, null and "" for absent values.
type object map[string]any

// parseObject parses a document.
func parseObject(b []byte) (object, error) {
	text := utf8Text(b)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		if start := bytes.TrimSpace(text); len(start) > 0 && start[0] == '<' {
			return nil, fmt.Errorf("%w: it is a web page, not OParl", ErrFormat)
		}
		return nil, fmt.Errorf("%w: it is not a JSON object: %w", ErrFormat, err)
	}
	if o == nil {
		return nil, fmt.Errorf("%w: it is null", ErrFormat)
	}
	return o, nil
}

// properties are those that are read.
var properties = map[string]bool{
	"id": true, "name": true, "shortName": true, "deleted": true, "data": true, "links": true, "next": true, "pagination": true, "totalElements": true, "elementsPerPage": true, "totalPages": true,
	"body": true, "organization": true, "person": true, "membership": true, "meeting": true,
	"startDate": true, "endDate": true, "role": true, "familyName": true, "givenName": true, "phone": true, "email": true,
	"start": true, "end": true, "cancelled": true, "meetingState": true, "location": true,
	"description": true, "room": true, "streetAddress": true, "postalCode": true, "locality": true,
}

// keep removes all other properties, such as agendas, which are most of a document. It returns the
// number of values that remain.
func keep(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if properties[key] {
				n += keep(value)
			} else {
				delete(v, key)
			}
		}
	case []any:
		for _, value := range v {
			n += keep(value)
		}
	}
	return n
}

// utf8Text returns a text as UTF-8. Without a byte order mark, a text that is not valid UTF-8 is
// taken for Windows-1252, of which ISO 8859-1 is a part.
func utf8Text(b []byte) []byte {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		if d, err := utf16.UTF16(utf16.LittleEndian, utf16.UseBOM).NewDecoder().Bytes(b); err == nil {
			return d
		}
	}
	if utf8.Valid(b) {
		return b
	}
	if d, err := charmap.Windows1252.NewDecoder().Bytes(b); err == nil {
		return d
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// Limits of texts of a source.
const maxTextRunes = 200 // as the store allows

// tidy returns a text in one line without invisible characters and characters that change
// the direction of writing, shortened to 200 characters.
func tidy(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case r == '\u200c' || r == '\u200d': // required by Persian and Indic names
			return r
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))), " ")
	if utf8.RuneCountInString(s) > maxTextRunes {
		s = string([]rune(s)[:maxTextRunes])
	}
	return s
}

// text returns the first text of a property.
func (o object) text(key string) string {
	if all := textsOf(o[key]); len(all) > 0 {
		return tidy(all[0])
	}
	return ""
}

// link returns a property that is an address.
func (o object) link(key string) string {
	if all := textsOf(o[key]); len(all) > 0 {
		return strings.TrimSpace(all[0])
	}
	return ""
}

func textsOf(v any) []string {
	switch v := v.(type) {
	case string:
		if strings.TrimSpace(v) != "" {
			return []string{v}
		}
	case json.Number:
		return []string{v.String()}
	case []any:
		var all []string
		for _, one := range v {
			if _, nested := one.([]any); !nested {
				all = append(all, textsOf(one)...)
			}
		}
		return all
	}
	return nil
}

func (o object) flag(key string) bool {
	switch v := o[key].(type) {
	case bool:
		return v
	case string:
		b, err := strconv.ParseBool(strings.TrimSpace(v))
		return err == nil && b
	case json.Number:
		return v.String() == "1"
	}
	return false
}

// reference is a reference to another object: its address, and the object itself if it is
// embedded.
type reference struct {
	id       string
	embedded object
}

// references returns the objects of a property: addresses, objects, or one of them alone.
func (o object) references(key string) []reference {
	list, ok := o[key].([]any)
	if !ok {
		list = []any{o[key]}
	}
	var all []reference
	for _, v := range list {
		switch v := v.(type) {
		case string:
			if v = strings.TrimSpace(v); v != "" {
				all = append(all, reference{id: v})
			}
		case map[string]any:
			all = append(all, reference{id: object(v).link("id"), embedded: v})
		}
	}
	return all
}

// timeForms are the forms of times that servers send. Those without a zone are local.
var timeForms = []string{
	"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "20060102", "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006",
}

// parseTime parses a time. day is true if it names a day only.
func parseTime(s string, local *time.Location) (t time.Time, day, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return time.Time{}, false, false
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, false, true
		}
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, local); err == nil {
			return t, !strings.Contains(form, "15"), true
		}
	}
	return time.Time{}, false, false
}

// plausible excludes what databases write for "none", such as 0001-01-01 and 1753-01-01.
func plausible(t time.Time) bool { return t.Year() > 1900 && t.Year() < 9000 }

// time returns a property that is a time; ok is false if there is none.
func (o object) time(key string, local *time.Location) (t time.Time, day, ok bool) {
	t, day, ok = parseTime(o.link(key), local)
	return t, day, ok && plausible(t)
}

package roster_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// withUID returns an event with another UID; "" for none.
func withUID(uid, event string) string {
	if uid == "" {
		return strings.Replace(event, "UID:1\r\n", "", 1)
	}
	return strings.Replace(event, "UID:1\r\n", "UID:"+uid+"\r\n", 1)
}

// TestUnreadEvents: a note names the events that could not be read, and only these are in doubt if their
// UIDs are known.
func TestUnreadEvents(t *testing.T) {
	const start = "DTSTART:20260601T160000Z"
	good := eventOf(start)
	mars := eventOf("DTSTART;TZID=Mars/Phobos:20260601T180000")
	long := strings.Repeat("0", 300)
	for name, c := range map[string]struct {
		events   string
		complete bool
		unread   []string
		note     string
	}{
		"unknown zone":                 {good + "\r\n" + withUID("m", mars), true, []string{"m"}, `1 events were skipped: unknown time zone "Mars/Phobos" ("Rat" with the UID "m").`},
		"every second":                 {good + "\r\n" + withUID("s", eventOf(start, "RRULE:FREQ=SECONDLY")), true, []string{"s"}, `("Rat" with the UID "s").`},
		"no start":                     {good + "\r\n" + withUID("n", eventOf()), true, []string{"n"}, `they have no start ("Rat" with the UID "n").`},
		"exception":                    {good + "\r\n" + withUID("x", eventOf(start, "EXDATE:never")), true, []string{"x"}, `("Rat" with the UID "x").`},
		"changed recurrence":           {good + "\r\n" + withUID("r", eventOf("RECURRENCE-ID:never", start)), true, []string{"r"}, `("Rat" with the UID "r").`},
		"no title":                     {good + "\r\n" + withUID("m", strings.Replace(mars, "SUMMARY:Rat\r\n", "", 1)), true, []string{"m"}, ` (UID "m").`},
		"no UID":                       {good + "\r\n" + withUID("", mars), false, nil, `("Rat" without a UID).`},
		"no UID and a bad rule":        {good + "\r\n" + withUID("", eventOf(start, "RRULE:FREQ=SECONDLY")), false, nil, `("Rat" without a UID).`},
		"neither title nor UID":        {good + "\r\n" + withUID("", strings.Replace(mars, "SUMMARY:Rat\r\n", "", 1)), false, nil, `1 events were skipped: unknown time zone "Mars/Phobos".`},
		"one with and one without":     {good + "\r\n" + withUID("m", mars) + "\r\n" + withUID("", mars), false, []string{"m"}, `("Rat" with the UID "m", "Rat" without a UID).`},
		"no event that can be read":    {withUID("m", mars), false, []string{"m"}, `("Rat" with the UID "m").`},
		"the same event several times": {good + strings.Repeat("\r\n"+withUID("m", mars), 5), true, slices.Repeat([]string{"m"}, 5), `5 events were skipped: unknown time zone "Mars/Phobos" ("Rat" with the UID "m").`},
		"many": {good + "\r\n" + withUID("a", mars) + "\r\n" + withUID("b", mars) + "\r\n" + withUID("c", mars) + "\r\n" + withUID("d", mars), true, []string{"a", "b", "c", "d"},
			`4 events were skipped: unknown time zone "Mars/Phobos" ("Rat" with the UID "a", "Rat" with the UID "b", "Rat" with the UID "c", and others).`},
		"a long UID, which earlier versions shortened": {good + "\r\n" + withUID(long, mars), true, nil, `"Rat" with the UID "000000`},
		"an all-day event": {good + "\r\n" + withUID("d", eventOf("DTSTART;VALUE=DATE:20260601")), true, nil, "1 events were skipped: they are all-day events without a time."},
	} {
		r := readCalendar(t, calendarOf(c.events))
		if strings.Contains(c.events, long) {
			if len(r.Unread) != 2 || !strings.HasPrefix(r.Unread[0], r.Unread[1]+"#") {
				t.Errorf("%s: got unread %q, want the identifier and the former one", name, r.Unread)
			}
		} else if !slices.Equal(r.Unread, c.unread) {
			t.Errorf("%s: got unread %q, want %q", name, r.Unread, c.unread)
		}
		if r.Complete != c.complete || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], c.note) {
			t.Errorf("%s: got complete %v, notes %q; want %v and a note with %q", name, r.Complete, r.Notes, c.complete, c.note)
		}
	}
}

// TestNamesOfUnreadEventsAreClean: titles and identifiers are foreign text.
func TestNamesOfUnreadEventsAreClean(t *testing.T) {
	hostile := "\x1b[2J\u202eRat\u0007\\n" + strings.Repeat("ü\"", 5000)
	var events []string
	for _, n := range []string{"1", "2", "3", "4"} {
		events = append(events, "BEGIN:VEVENT\r\nUID:"+n+hostile+"\r\nSUMMARY:"+n+hostile+"\r\nDTSTART;TZID=Mars/Phobos:20260601T180000\r\nEND:VEVENT")
	}
	r := readCalendar(t, calendarOf(events...))
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], `"1[2JRat ü`) || utf8.RuneCountInString(r.Notes[0]) > 1000 {
		t.Fatalf("got notes %q, want one of at most 1000 characters that names the events", r.Notes)
	}
	if strings.ContainsFunc(r.Notes[0], func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }) {
		t.Errorf("got control characters in %q", r.Notes[0])
	}
}

package roster_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/tonprobe/tonprobe/server/roster"
)

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return l
}()

var window = roster.Window{From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}

func readCalendar(t *testing.T, text string) *roster.Roster {
	t.Helper()
	r, err := roster.Calendar{Window: window, Local: berlin}.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// calendarOf returns a calendar of these lines.
func calendarOf(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func eventOf(lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Rat\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT"
}

// list returns the meetings in a short form: the start in Berlin, the length, the name.
func list(r *roster.Roster) string {
	var all []string
	for _, m := range r.Meetings {
		s := m.Start.In(berlin).Format("2006-01-02 15:04")
		if !m.End.IsZero() {
			s += " +" + m.End.Sub(m.Start).String()
		}
		if s += " " + m.Name; m.Cancelled {
			s += " cancelled"
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

func TestTimesOfEvents(t *testing.T) {
	const customZone = "BEGIN:VTIMEZONE\r\nTZID:Rathaus\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n" +
		"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
	for _, c := range []struct{ name, start, want string }{
		{"UTC", "DTSTART:20260601T160000Z", "2026-06-01 18:00 Rat"},
		{"an hour that the clocks show twice", "DTSTART;TZID=Rathaus:20261025T023000\r\nDTEND:20261025T013000Z", "2026-10-25 02:30 +1h0m0s Rat"},
		{"floating", "DTSTART:20260601T180000", "2026-06-01 18:00 Rat"},
		{"floating in winter", "DTSTART:20261201T180000", "2026-12-01 18:00 Rat"},
		{"IANA", "DTSTART;TZID=Europe/London:20260601T170000", "2026-06-01 18:00 Rat"},
		{"IANA with a prefix", "DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260601T180000", "2026-06-01 18:00 Rat"},
		{"another prefix", "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260601T180000", "2026-06-01 18:00 Rat"},
		{"Windows in summer", "DTSTART;TZID=W. Europe Standard Time:20260601T180000", "2026-06-01 18:00 Rat"},
		{"Windows in winter", "DTSTART;TZID=W. Europe Standard Time:20261201T180000", "2026-12-01 18:00 Rat"},
		{"Windows, quoted", `DTSTART;TZID="W. Europe Standard Time":20261201T180000`, "2026-12-01 18:00 Rat"},
		{"Exchange's name of UTC", "DTSTART;TZID=tzone://Microsoft/Utc:20260601T160000", "2026-06-01 18:00 Rat"},
		{"the name on Windows' screens", `DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien":20260601T180000`, "2026-06-01 18:00 Rat"},
		{"GMT Standard Time", "DTSTART;TZID=GMT Standard Time:20260601T170000", "2026-06-01 18:00 Rat"},
		{"own zone in summer", "DTSTART;TZID=Rathaus:20260601T180000", "2026-06-01 18:00 Rat"},
		{"own zone in winter", "DTSTART;TZID=Rathaus:20261201T180000", "2026-12-01 18:00 Rat"},
		{"own zone, last day of winter", "DTSTART;TZID=Rathaus:20260328T180000", "2026-03-28 18:00 Rat"},
		{"own zone, first day of summer", "DTSTART;TZID=Rathaus:20260329T180000", "2026-03-29 18:00 Rat"},
		{"own zone, weekly over the change", "DTSTART;TZID=Rathaus:20261020T180000\r\nRRULE:FREQ=WEEKLY;COUNT=2", "2026-10-20 18:00 Rat; 2026-10-27 18:00 Rat"},
		{"end", "DTSTART:20260601T160000Z\r\nDTEND:20260601T180000Z", "2026-06-01 18:00 +2h0m0s Rat"},
		{"end before the start", "DTSTART:20260601T160000Z\r\nDTEND:20260601T150000Z", "2026-06-01 18:00 Rat"},
		{"duration", "DTSTART:20260601T160000Z\r\nDURATION:PT1H30M", "2026-06-01 18:00 +1h30m0s Rat"},
		{"long duration", "DTSTART:20260601T160000Z\r\nDURATION:P1DT2H", "2026-06-01 18:00 +26h0m0s Rat"},
		{"weeks", "DTSTART:20260601T160000Z\r\nDURATION:P1W", "2026-06-01 18:00 +168h0m0s Rat"},
		{"no duration", "DTSTART:20260601T160000Z\r\nDURATION:-PT1H", "2026-06-01 18:00 Rat"},
		{"cancelled", "DTSTART:20260601T160000Z\r\nSTATUS:CANCELLED", "2026-06-01 18:00 Rat cancelled"},
		{"a whole day", "DTSTART;VALUE=DATE:20260601", ""},
		{"unknown zone", "DTSTART;TZID=Mars/Olympus:20260601T180000", ""},
		{"no time", "DTSTART:tomorrow", ""},
		{"before the window", "DTSTART:20250601T160000Z", ""},
		{"after it", "DTSTART:20270601T160000Z", ""},
	} {
		r := readCalendar(t, calendarOf(customZone+eventOf(c.start)))
		if got := list(r); got != c.want {
			t.Errorf("%s: got %q, want %q (notes %q)", c.name, got, c.want, r.Notes)
		}
		if skipped := c.want == "" && !strings.Contains(c.name, "window") && !strings.Contains(c.name, "after"); skipped && len(r.Notes) == 0 {
			t.Errorf("%s: skipped without a note", c.name)
		}
		if wantComplete := c.name != "unknown zone" && c.name != "no time"; r.Complete != wantComplete {
			t.Errorf("%s: got complete %v, want %v", c.name, r.Complete, wantComplete)
		}
	}
}

func TestRecurrences(t *testing.T) {
	const start = "DTSTART;TZID=Europe/Berlin:20260303T180000\r\n" // a Tuesday, the first of the month
	for _, c := range []struct{ rule, want string }{
		{"RRULE:FREQ=WEEKLY;COUNT=2", "2026-03-03 2026-03-10"},
		{"RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260401T000000Z", "2026-03-03 2026-03-17 2026-03-31"},
		{"RRULE:FREQ=WEEKLY;UNTIL=20260310", "2026-03-03 2026-03-10"},
		{"RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=TU,TH", "2026-03-03 2026-03-05 2026-03-10 2026-03-12"},
		{"RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=1TU", "2026-03-03 2026-04-07 2026-05-05"},
		{"RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=-1TH", "2026-03-03 2026-03-26 2026-04-30 2026-05-28"},
		{"RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU;BYSETPOS=1", "2026-03-03 2026-04-07 2026-05-05"},
		{"RRULE:FREQ=MONTHLY;COUNT=2;BYMONTHDAY=-1", "2026-03-03 2026-03-31 2026-04-30"},
		{"RRULE:FREQ=MONTHLY;COUNT=3", "2026-03-03 2026-04-03 2026-05-03"},
		{"RRULE:FREQ=DAILY;COUNT=3", "2026-03-03 2026-03-04 2026-03-05"},
		{"RRULE:FREQ=YEARLY;BYMONTH=3,9;BYDAY=1TU;COUNT=3", "2026-03-03 2026-09-01"},
		{"RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-03-03"},
		{"RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;TZID=Europe/Berlin:20260310T180000", "2026-03-03 2026-03-17"},
		{"RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;VALUE=DATE:20260310", "2026-03-03 2026-03-17"},
		{"RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE:20260310T170000Z,20260317T170000Z", "2026-03-03"},
		{"RDATE;TZID=Europe/Berlin:20260401T180000,20260501T180000", "2026-03-03 2026-04-01 2026-05-01"},
		{"RRULE:FREQ=HOURLY", ""},
		{"RRULE:FREQ=WEEKLY;BYDAY=XX", ""},
		{"RRULE:COUNT=3", ""},
	} {
		r := readCalendar(t, calendarOf(eventOf(start+c.rule)))
		var days []string
		for _, m := range r.Meetings {
			if at := m.Start.In(berlin); at.Format("15:04") != "18:00" {
				t.Errorf("%s: got %v, want 18:00", c.rule, at)
			}
			days = append(days, m.Start.In(berlin).Format("2006-01-02"))
		}
		if got := strings.Join(days, " "); got != c.want {
			t.Errorf("%s: got %q, want %q (notes %q)", c.rule, got, c.want, r.Notes)
		}
	}
}

func TestVersionsOfEvents(t *testing.T) {
	const weekly = "DTSTART:20260303T170000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3"
	for _, c := range []struct{ name, calendar, want string }{
		{"one moved", calendarOf(eventOf(weekly), eventOf("RECURRENCE-ID:20260310T170000Z", "DTSTART:20260311T180000Z", "SUMMARY:x")),
			"2026-03-03 18:00 Rat; 2026-03-11 19:00 Rat; 2026-03-17 18:00 Rat"},
		{"one moved, listed before its series", calendarOf(eventOf("RECURRENCE-ID:20260310T170000Z", "DTSTART:20260311T180000Z"), eventOf(weekly)),
			"2026-03-03 18:00 Rat; 2026-03-11 19:00 Rat; 2026-03-17 18:00 Rat"},
		{"one cancelled", calendarOf(eventOf(weekly), eventOf("RECURRENCE-ID:20260310T170000Z", "DTSTART:20260310T170000Z", "STATUS:CANCELLED")),
			"2026-03-03 18:00 Rat; 2026-03-10 18:00 Rat cancelled; 2026-03-17 18:00 Rat"},
		{"only one recurrence is in the file", calendarOf(eventOf("RECURRENCE-ID:20260310T170000Z", "DTSTART:20260311T180000Z")), "2026-03-11 19:00 Rat"},
		{"the later version counts", calendarOf(eventOf("DTSTART:20260601T160000Z", "SEQUENCE:2"), eventOf("DTSTART:20260602T160000Z", "SEQUENCE:1")), "2026-06-01 18:00 Rat"},
		{"the later stamp counts", calendarOf(eventOf("DTSTART:20260601T160000Z", "DTSTAMP:20260102T000000Z"), eventOf("DTSTART:20260602T160000Z", "DTSTAMP:20260101T000000Z")), "2026-06-01 18:00 Rat"},
		{"METHOD:CANCEL", calendarOf("METHOD:CANCEL", eventOf("DTSTART:20260601T160000Z")), "2026-06-01 18:00 Rat cancelled"},
		{"X-WR-TIMEZONE", calendarOf("X-WR-TIMEZONE:Europe/London", eventOf("DTSTART:20260601T170000")), "2026-06-01 18:00 Rat"},
	} {
		r := readCalendar(t, c.calendar)
		if got := list(r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		ids := map[string]bool{}
		for _, m := range r.Meetings {
			if m.ID == "" || ids[m.ID] {
				t.Errorf("%s: the id %q is empty or a duplicate", c.name, m.ID)
			}
			ids[m.ID] = true
		}
	}
	// The id of a recurrence stays the same when it is moved.
	a := readCalendar(t, calendarOf(eventOf(weekly)))
	b := readCalendar(t, calendarOf(eventOf(weekly), eventOf("RECURRENCE-ID:20260310T170000Z", "DTSTART:20260311T180000Z")))
	if a.Meetings[1].ID != b.Meetings[1].ID || a.Meetings[1].Start.Equal(b.Meetings[1].Start) {
		t.Errorf("got %+v and %+v, want one id and two starts", a.Meetings[1], b.Meetings[1])
	}
}

// TestCalendarsOfPrograms reads files with the forms of Outlook, Exchange, Google and Nextcloud.
func TestCalendarsOfPrograms(t *testing.T) {
	for file, want := range map[string]string{
		"outlook.ics":   "2026-06-09 17:30 +2h30m0s Sitzung des Haupt- und Finanzausschusses, öffentlicher Teil; 2026-09-08 17:30 +2h30m0s Sitzung des Haupt- und Finanzausschusses, öffentlicher Teil cancelled",
		"google.ics":    "2026-05-05 18:00 +2h0m0s Stadtrat; 2026-06-02 18:00 +2h0m0s Stadtrat; 2026-07-14 17:00 +2h0m0s Stadtrat (verlegt)",
		"nextcloud.ics": "2026-11-03 19:00 +3h0m0s Ortsrat Nord; Fragestunde",
	} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		r, err := roster.Calendar{Window: window, Local: berlin}.Read(b)
		if err != nil {
			t.Errorf("%s: got error %v, want none", file, err)
			continue
		}
		if got := list(r); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s\nnotes %q", file, got, want, r.Notes)
		}
	}
}

func TestBadCalendars(t *testing.T) {
	good := eventOf("DTSTART:20260601T160000Z")
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                          {"", roster.ErrFormat},
		"a web page":                     {"<!DOCTYPE html><html>Anmelden</html>", roster.ErrFormat},
		"truncated":                      {"BEGIN:VCALENDAR\r\n" + good + "\r\nBEGIN:VEVENT\r\nUID:2\r\n", roster.ErrFormat},
		"truncated after the first line": {"BEGIN:VCALENDAR\r\n", roster.ErrFormat},
		"wrong end":                      {"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", roster.ErrFormat},
		"only an end":                    {"END:VCALENDAR", roster.ErrFormat},
		"nested":                         {"BEGIN:VCALENDAR\r\n" + strings.Repeat("BEGIN:A\r\n", 100), roster.ErrTooLarge},
		"too many events":                {calendarOf(strings.Repeat(good+"\r\n", 20_001)), roster.ErrTooLarge},
		"too large":                      {strings.Repeat("x", roster.MaxDocumentBytes+1), roster.ErrTooLarge},
		"a very long line":               {calendarOf("X:" + strings.Repeat("y\r\n ", 1<<20)), roster.ErrTooLarge},
		"too many recurrences": {calendarOf(strings.Repeat(eventOf("DTSTART:20260301T000000Z\r\nRRULE:FREQ=DAILY")+"\r\n", 1),
			strings.Repeat(strings.ReplaceAll(eventOf("DTSTART:20260301T000000Z\r\nRRULE:FREQ=DAILY"), "UID:1", "UID:")+"\r\n", 1), manyDaily(10)), roster.ErrTooLarge},
		"very many lines":       {calendarOf(strings.Repeat("A;B=:\n", 1_000_000)), roster.ErrTooLarge},
		"old rules with counts": {calendarOf(manyCounted(200)), roster.ErrTooLarge},
		"zones with many rules": {calendarOf("BEGIN:VTIMEZONE\r\nTZID:Rathaus\r\n"+strings.Repeat("BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=DAILY\r\nEND:STANDARD\r\n", 20)+"END:VTIMEZONE",
			eventOf("DTSTART;TZID=Rathaus:20260601T180000")), roster.ErrTooLarge},
	} {
		r, err := roster.Calendar{Window: window, Local: berlin}.Read([]byte(c.text))
		if !errors.Is(err, c.want) || r != nil {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: got an error of %d bytes, want at most 300", name, len(err.Error()))
		}
	}
}

func manyDaily(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(eventOf("DTSTART:20260301T000000Z\r\nRRULE:FREQ=DAILY"), "UID:1", "UID:d"+string(rune('a'+i))) + "\r\n")
	}
	return b.String()
}

func manyCounted(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(eventOf("DTSTART:16010101T000000Z\r\nRRULE:FREQ=DAILY;COUNT=1000000"), "UID:1", "UID:c"+strings.Repeat("x", i)) + "\r\n")
	}
	return b.String()
}

// TestEverySkippedEventIsCounted: also if there are more reasons than notes.
func TestEverySkippedEventIsCounted(t *testing.T) {
	var events []string
	for n := range 101 {
		events = append(events, eventOf(fmt.Sprintf("DTSTART;TZID=Mars/%03d:20260601T180000", n)))
	}
	r := readCalendar(t, calendarOf(append(events, events[0])...))
	if want := `2 events were skipped: unknown time zone "Mars/000" ("Rat" with the UID "1").`; !slices.Contains(r.Notes, want) {
		t.Errorf("got %d notes, the first %q; want %q among them", len(r.Notes), r.Notes[:min(1, len(r.Notes))], want)
	}
}

func TestBrokenLinesAreSkipped(t *testing.T) {
	text := calendarOf(eventOf("DTSTART:20260601T160000Z", "DESCRIPTION:erste Zeile", "zweite Zeile ohne Leerzeichen davor", "LOCATION:Rathaus\\, Sa", " al 1"))
	r := readCalendar(t, text)
	if len(r.Meetings) != 1 || r.Meetings[0].Location != "Rathaus, Saal 1" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "1 lines") {
		t.Errorf("got %+v, notes %q; want the location joined, and a note about 1 line", r.Meetings, r.Notes)
	}
	latin, err := charmap.ISO8859_1.NewEncoder().String(strings.ReplaceAll(text, "Saal", "Großer Saal"))
	if err != nil {
		t.Fatal(err)
	}
	latin = strings.ReplaceAll(latin, "Sa\r\n al", "Gro\xdfer Saal")
	for name, text := range map[string]string{"ISO 8859-1": latin, "line feeds only": strings.ReplaceAll(text, "\r\n", "\n"), "byte order mark": "\ufeff" + text} {
		r := readCalendar(t, text)
		if len(r.Meetings) != 1 || name == "ISO 8859-1" && r.Meetings[0].Location != "Rathaus, Großer Saal 1" {
			t.Errorf("%s: got %+v, want the meeting with its location", name, r.Meetings)
		}
	}
}

// TestLettersAreFolded: programs may fold a line between the bytes of one letter.
func TestLettersAreFolded(t *testing.T) {
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n "} {
		text := calendarOf(eventOf("DTSTART:20260601T160000Z", "LOCATION:Gro\xc3"+fold+"\x9fer Saal"))
		if r := readCalendar(t, text); len(r.Meetings) != 1 || r.Meetings[0].Location != "Großer Saal" {
			t.Errorf("%q: got %+v", fold, r.Meetings)
		}
	}
}

// TestDoubtfulCalendars: what cannot be trusted is noted, and marks the calendar as incomplete, so that
// no session is cancelled because of it.
func TestDoubtfulCalendars(t *testing.T) {
	const first = "DTSTART:20260601T160000Z"
	for name, c := range map[string]struct{ calendar, want, note string }{
		"no events":           {calendarOf("X-WR-CALNAME:Rat"), "", "no events"},
		"one UID for all":     {calendarOf(eventOf(first), eventOf("DTSTART:20260701T160000Z")), "2026-07-01 18:00 Rat", "UID of another event"},
		"all later ones move": {calendarOf(eventOf("DTSTART:20260303T170000Z\r\nRRULE:FREQ=WEEKLY;COUNT=2"), eventOf("RECURRENCE-ID;RANGE=THISANDFUTURE:20260310T170000Z", "DTSTART:20260310T190000Z")), "2026-03-03 18:00 Rat; 2026-03-10 20:00 Rat", "all later recurrences"},
	} {
		r := readCalendar(t, c.calendar)
		if got := list(r); got != c.want || r.Complete || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], c.note) {
			t.Errorf("%s: got %q, complete %v, notes %q; want %q and a note with %q", name, got, r.Complete, r.Notes, c.want, c.note)
		}
	}
	// The same event twice, and two whose long identifiers differ at their ends, are no doubt.
	long := strings.Repeat("0", 300)
	for name, c := range map[string]struct {
		calendar string
		want     int
	}{
		"twice":            {calendarOf(eventOf(first), eventOf(first)), 1},
		"long identifiers": {calendarOf(strings.Replace(eventOf(first), "UID:1", "UID:"+long+"1", 1), strings.Replace(eventOf(first), "UID:1", "UID:"+long+"2", 1)), 2},
	} {
		if r := readCalendar(t, c.calendar); len(r.Meetings) != c.want || !r.Complete || len(r.Notes) > 0 {
			t.Errorf("%s: got %+v, notes %q; want %d", name, r.Meetings, r.Notes, c.want)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	files, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(files) == 0 {
		f.Fatalf("got files %v, error %v; want some", files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(calendarOf(eventOf("DTSTART:20260303T170000Z", "RRULE:FREQ=YEARLY;BYSETPOS=-1;BYMONTHDAY=31;COUNT=9", "EXDATE:20260303"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := roster.Calendar{Window: window, Local: berlin}.Read(b)
		if (r == nil) == (err == nil) {
			t.Fatalf("got roster %v, error %v; want one of both", r, err)
		}
		if err != nil {
			return
		}
		checkRoster(t, r)
	})
}

// checkRoster checks the invariants of a roster.
func checkRoster(t *testing.T, r *roster.Roster) {
	t.Helper()
	ids := map[string]bool{}
	for _, m := range r.Meetings {
		if m.ID == "" || ids[m.ID] || m.Start.Before(window.From) || !m.Start.Before(window.Until) || !m.End.IsZero() && !m.End.After(m.Start) || strings.ContainsAny(m.Name+m.Location, "\n\r\x00\x1b") {
			t.Fatalf("got meeting %+v, want an id of its own, a start in the window, a later end, and no control characters", m)
		}
		ids[m.ID] = true
	}
	if len(r.Notes) > 100 {
		t.Fatalf("got %d notes, want at most 100", len(r.Notes))
	}
}

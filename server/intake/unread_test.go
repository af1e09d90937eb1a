package intake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
)

// TestSessionsOfUnreadEventsRemain: an event that cannot be read keeps its own sessions from being
// cancelled, and no others, unless its UID is not known.
func TestSessionsOfUnreadEventsRemain(t *testing.T) {
	long := strings.Repeat("ü", 290)
	exchange := strings.Repeat("0", 400)
	const mars = "DTSTART;TZID=Mars/Phobos:20260603T180000\n"
	event := func(uid, lines string) string {
		if uid != "" {
			uid = "UID:" + uid + "\n"
		}
		return "BEGIN:VEVENT\n" + uid + "SUMMARY:Rat\n" + lines + "END:VEVENT\n"
	}
	single := func(uid string) string { return event(uid, "DTSTART:20260602T160000Z\n") }
	series := func(uid string) string { return event(uid, "DTSTART:20260603T160000Z\nRRULE:FREQ=DAILY;COUNT=2\n") }
	for name, c := range map[string]struct {
		before, after string
		want          store.ImportResult
	}{
		"another event":                {single("a") + single("b"), single("a") + event("m", mars), store.ImportResult{Unchanged: 1, Cancelled: 1}},
		"a recurring one":              {single("a") + series("b"), single("a") + event("m", mars), store.ImportResult{Unchanged: 1, Cancelled: 2}},
		"a UID that begins like it":    {single("a") + single("b") + series("b2"), single("a") + event("b", mars), store.ImportResult{Unchanged: 1, Cancelled: 2}},
		"a UID with a stroke":          {single("a") + single("b/2"), single("a") + event("b", mars), store.ImportResult{Unchanged: 1, Cancelled: 1}},
		"the event itself":             {single("a") + single("b"), single("a") + event("b", mars), store.ImportResult{Unchanged: 1}},
		"its recurrences":              {single("a") + series("b"), single("a") + event("b", "DTSTART:20260603T160000Z\nRRULE:FREQ=SECONDLY\n"), store.ImportResult{Unchanged: 1}},
		"its recurrences, and another": {single("a") + series("b") + single("c"), single("a") + event("b", mars), store.ImportResult{Unchanged: 1, Cancelled: 1}},
		"one changed recurrence":       {series("b"), event("b", "DTSTART:20260603T160000Z\nRRULE:FREQ=DAILY;COUNT=1\n") + event("b", "RECURRENCE-ID:20260604T160000Z\n"+mars), store.ImportResult{Unchanged: 1}},
		"a long UID":                   {single("a") + series(long) + single("c"), single("a") + event(long, mars), store.ImportResult{Unchanged: 1, Cancelled: 1}},
		"a UID that is shortened":      {single("a") + series(exchange) + single("c"), single("a") + event(exchange, mars), store.ImportResult{Unchanged: 1, Cancelled: 1}},
		"no UID":                       {single("a") + single("b"), single("a") + event("", mars), store.ImportResult{Unchanged: 1}},
		"with and without a UID":       {single("a") + single("b"), single("a") + event("m", mars) + event("", mars), store.ImportResult{Unchanged: 1}},
		"nothing that can be read":     {single("a") + single("b"), event("m", mars), store.ImportResult{}},
		"an empty calendar":            {single("a") + single("b"), "", store.ImportResult{}},
	} {
		d, _ := newImporter(t)
		for n, events := range []string{c.before, c.after} {
			calendar := roster.Calendar{Window: roster.Window{From: now, Until: now.AddDate(1, 0, 0)}, Local: time.UTC}
			r, err := calendar.Read([]byte("BEGIN:VCALENDAR\n" + events + "END:VCALENDAR\n"))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := d.Calendar(t.Context(), r, "Rat", "file")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Apply(t.Context(), plan, false); err != nil {
				t.Fatal(err)
			}
			if n == 1 && plan.Councils[0].Result != c.want {
				t.Errorf("%s: got %+v, want %+v", name, plan.Councils[0].Result, c.want)
			}
		}
	}
}

// TestBrokenCalendarsChangeNothing: an event that cannot be read does not make a calendar acceptable that
// was cut off or is too large.
func TestBrokenCalendarsChangeNothing(t *testing.T) {
	const mars = "BEGIN:VEVENT\nUID:m\nDTSTART;TZID=Mars/Phobos:20260603T180000\nEND:VEVENT\n"
	for name, text := range map[string]string{
		"cut off":    "BEGIN:VCALENDAR\n" + mars + "BEGIN:VEVENT\nUID:2\n",
		"too large":  "BEGIN:VCALENDAR\n" + mars + strings.Repeat("X", roster.MaxDocumentBytes),
		"a web page": "<!DOCTYPE html>" + mars,
	} {
		if r, err := (roster.Calendar{Window: roster.Window{From: now, Until: now.AddDate(1, 0, 0)}, Local: time.UTC}).Read([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, r)
		}
	}
}

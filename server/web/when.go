package web

import (
	"encoding/json"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// when is a time for people: relative and exact.
type when struct {
	Ago     string `json:"-"` // see digestOf
	Exact   string
	Machine string // RFC 3339, for the datetime attribute
}

func (v view) when(t time.Time) *when {
	if t.IsZero() {
		return nil
	}
	t = t.In(v.zone)
	return &when{Ago: v.ago(v.now.Sub(t)), Exact: t.Format(v.exactFormat()), Machine: t.Format(time.RFC3339)}
}

func (v view) exactFormat() string {
	if v.lang == phrase.DE {
		return "02.01.2006, 15:04 Uhr"
	}
	return "2 Jan 2006, 15:04"
}

// day returns the day of a time.
func (v view) day(t time.Time) string {
	if t = t.In(v.zone); v.lang == phrase.DE {
		return t.Format("02.01.2006")
	}
	return t.Format("2 Jan 2006")
}

// ago returns a relative time in the largest unit that fits.
func (v view) ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute: // also times in the future, after a clock change
		return v.T("time.now")
	case d < time.Hour:
		return v.count("time.minute", int(d/time.Minute))
	case d < day:
		return v.count("time.hour", int(d/time.Hour))
	}
	return v.count("time.day", int(d/day))
}

// ages returns the texts of relative times as JSON, so that a page can update them.
func ages(book *phrase.Book) string {
	texts := map[string]string{}
	for _, name := range []string{"now", "minute", "minutes", "hour", "hours", "day", "days"} {
		texts[name] = book.T("time." + name)
	}
	b, _ := json.Marshal(texts) // strings only: cannot fail
	return string(b)
}

// count returns a number of things in words. The text of key is the singular, that of key+"s" the
// plural.
func (v view) count(key string, n int) string {
	if n == 1 {
		return v.T(key)
	}
	return v.T(key+"s", "n", n)
}

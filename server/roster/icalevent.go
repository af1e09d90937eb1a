package roster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// calendarReader is one reading of a calendar.
type calendarReader struct {
	Calendar
	roster *Roster
	zones  map[string]*zone // defined in the calendar
	// locations caches the known zones by name, nil for unknown names: loading one reads a file.
	locations map[string]*time.Location
	zoneName  string             // default of the calendar; "" for Local
	skipped   map[string]skipped // by the reason
	whole     map[string]string  // uid by event.former; "" if there are several

	events      int
	unread      int // events
	later       int // events that change all later recurrences
	recurrences int
	budget      int // days that rules may still examine
}

// event is an event of a calendar.
type event struct {
	uid       string
	former    string // the beginning of a long UID, which earlier versions kept; otherwise ""
	sequence  int
	start     when
	length    time.Duration
	days      int // besides length
	cancelled bool
	name      string
	location  string
	rules     []rule
	more      []when    // RDATE
	without   []when    // EXDATE
	instead   time.Time // RECURRENCE-ID; zero for the event itself
	dtstamp   string
}

func (r *calendarReader) read(root *component) error {
	series := map[string]event{}
	changed := map[string]map[int64]event{} // by UID and original start
	var order []string
	for _, calendar := range root.parts {
		if calendar.name != "VCALENDAR" {
			continue
		}
		r.zoneName = zoneOf(calendar)
		for _, part := range calendar.parts {
			if part.name == "VTIMEZONE" {
				r.defineZone(part)
			}
		}
		method, _ := calendar.find("METHOD")
		for _, part := range calendar.parts {
			if part.name != "VEVENT" {
				continue
			}
			if r.events++; r.events > maxEvents {
				return fmt.Errorf("the calendar is %w: it has more than %d events", ErrTooLarge, maxEvents)
			}
			e, ok := r.event(part)
			if !ok {
				continue
			}
			if strings.EqualFold(strings.TrimSpace(method.value), "CANCEL") {
				e.cancelled = true
			}
			if !e.instead.IsZero() {
				if changed[e.uid] == nil {
					changed[e.uid] = map[int64]event{}
				}
				at := e.instead.Unix()
				if old, known := changed[e.uid][at]; !known || e.newerThan(old) {
					changed[e.uid][at] = e
				}
			} else if old, known := series[e.uid]; !known || e.newerThan(old) {
				if known && old.newerThan(e) && !e.start.Equal(old.start.Time) { // no later version
					r.skip("they have the UID of another event", e.label())
					r.roster.Complete = false
				}
				series[e.uid] = e
			}
			if !slices.Contains(order[max(0, len(order)-1):], e.uid) {
				order = append(order, e.uid)
			}
		}
	}
	done := map[string]bool{}
	for _, uid := range order {
		if done[uid] {
			continue
		}
		done[uid] = true
		if err := r.add(series[uid], changed[uid]); err != nil {
			return err
		}
	}
	switch {
	case r.budget < 0: // times in zones that the calendar defines may be wrong
		return fmt.Errorf("the calendar is %w: its recurrence rules require more than %d days to be examined", ErrTooLarge, maxDays)
	case r.events == 0: // perhaps of a server with a fault: this is no reason to cancel all sessions
		r.roster.missing("The calendar has no events.")
	case r.unread == r.events: // likewise
		r.roster.Complete = false
	}
	if r.later > 0 {
		r.roster.missing("%d events change all later recurrences at once: only the first of these is changed.", r.later)
	}
	for _, why := range slices.Sorted(keysOf(r.skipped)) {
		r.roster.note("%d events were skipped: %s%s.", r.skipped[why].events, why, r.skipped[why].names())
	}
	slices.SortFunc(r.roster.Meetings, func(a, b Meeting) int { return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID)) })
	return nil
}

func keysOf(m map[string]skipped) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// newerThan reports whether e is a later version of the same event.
func (e event) newerThan(old event) bool {
	return cmp.Or(cmp.Compare(e.sequence, old.sequence), strings.Compare(e.dtstamp, old.dtstamp)) >= 0
}

// event reads an event; ok is false if it was skipped.
func (r *calendarReader) event(c *component) (e event, ok bool) {
	e = event{uid: c.uid(), name: c.text("SUMMARY"), location: c.text("LOCATION"), cancelled: strings.EqualFold(c.text("STATUS"), "CANCELLED"), dtstamp: c.text("DTSTAMP")}
	if text := c.text("UID"); isShortened(text) {
		e.former = text
		if other, known := r.whole[text]; known && other != e.uid {
			r.whole[text] = ""
		} else {
			r.whole[text] = e.uid
		}
	}
	e.sequence, _ = strconv.Atoi(c.text("SEQUENCE"))
	start, found := c.find("DTSTART")
	if !found {
		return e, r.cannotRead(e, "they have no start")
	}
	var err error
	if e.start, err = r.when(start); err != nil {
		return e, r.cannotRead(e, reason(err))
	}
	if e.start.day {
		return e, r.skip("they are all-day events without a time", "")
	}
	if err := r.readEnd(&e, c); err != nil {
		return e, r.cannotRead(e, reason(err))
	}
	if p, found := c.find("RECURRENCE-ID"); found {
		instead, err := r.when(p)
		if err != nil {
			return e, r.cannotRead(e, reason(err))
		}
		if p.params["RANGE"] != "" {
			r.later++
		}
		e.instead = r.at(instead, e.start)
	}
	if err := r.readRecurrences(&e, c); err != nil {
		return e, r.cannotRead(e, reason(err))
	}
	if e.uid == "" { // required, but some calendars written by hand have none
		e.uid = "no-uid:" + e.start.UTC().Format("20060102T150405Z") + ":" + e.name
	}
	return e, true
}

func reason(err error) string {
	switch {
	case errors.Is(err, errNoZone), errors.Is(err, errRule):
		return err.Error()
	}
	return "a time could not be read (" + err.Error() + ")"
}

// readEnd reads the end. An event without one has length 0.
func (r *calendarReader) readEnd(e *event, c *component) error {
	if p, found := c.find("DTEND"); found && p.value != "" {
		end, err := r.when(p)
		if err != nil {
			return err
		}
		if end.After(e.start.Time) {
			e.length = end.Sub(e.start.Time)
		}
		return nil
	}
	if p, found := c.find("DURATION"); found {
		if days, length, ok := parseDuration(p.value); ok {
			e.days, e.length = days, length
		}
	}
	return nil
}

func (r *calendarReader) readRecurrences(e *event, c *component) error {
	for _, p := range c.properties {
		switch p.name {
		case "RRULE":
			rule, err := r.parseRule(p.value)
			if err != nil {
				return err
			}
			e.rules = append(e.rules, rule)
		case "RDATE", "EXDATE":
			for value := range strings.SplitSeq(p.value, ",") {
				value, _, _ = strings.Cut(strings.TrimSpace(value), "/") // a period: its start
				at, err := r.parseWhen(value, p.params["TZID"])
				if err != nil {
					return err
				}
				if p.name == "RDATE" {
					e.more = append(e.more, at)
				} else {
					e.without = append(e.without, at)
				}
			}
			if len(e.more)+len(e.without) > maxRecurrences || len(e.rules) > 4 {
				return fmt.Errorf("%w: more than %d exceptions", errRule, maxRecurrences)
			}
		}
	}
	return nil
}

// add adds the meetings of an event and of its changed recurrences.
func (r *calendarReader) add(e event, changed map[int64]event) error {
	repeats := len(e.rules) > 0 || len(e.more) > 0
	starts := map[int64]time.Time{}
	if e.uid != "" {
		all, err := r.starts(e)
		if err != nil {
			return err
		}
		for _, at := range all {
			starts[at.Unix()] = at
		}
	}
	for at, instead := range changed {
		delete(starts, at)
		r.meeting(instead, instead.start.Time, instead.uid+"/"+instead.instead.UTC().Format("20060102T150405Z"))
	}
	for _, at := range starts {
		id := e.uid
		if repeats {
			id += "/" + at.UTC().Format("20060102T150405Z")
		}
		r.meeting(e, at, id)
	}
	if r.recurrences += len(starts) + len(changed); r.recurrences > maxRecurrences+r.events {
		return fmt.Errorf("the calendar is %w: its events recur more than %d times within the imported period", ErrTooLarge, maxRecurrences)
	}
	return nil
}

// meeting adds the meeting of an event at a start, if that is in the window.
func (r *calendarReader) meeting(e event, start time.Time, id string) {
	if !r.Window.contains(start) {
		return
	}
	m := Meeting{ID: id, Name: e.name, Start: start.UTC(), Cancelled: e.cancelled, Location: e.location}
	if end := start.AddDate(0, 0, e.days).Add(e.length); end.After(start) {
		m.End = end.UTC()
	}
	if e.former != "" && r.whole[e.former] == e.uid {
		m.FormerID = e.former + strings.TrimPrefix(id, e.uid)
	}
	r.roster.Meetings = append(r.roster.Meetings, m)
}

// starts returns the starts of an event that may be in the window.
func (r *calendarReader) starts(e event) ([]time.Time, error) {
	starts := []time.Time{e.start.Time}
	clock := func(wall time.Time) time.Time {
		t, _ := r.inZone(wall, e.start.zone) // the zone of the start is known
		return t
	}
	for _, rule := range e.rules {
		all, err := rule.starts(recurrence{wallOf(e.start.Time), clock, r.Window, &r.budget})
		if err != nil {
			return nil, err
		}
		starts = append(starts, all...)
	}
	for _, at := range e.more {
		starts = append(starts, r.at(at, e.start))
	}
	excluded := make(map[int64]bool, len(e.without))
	for _, x := range e.without {
		excluded[r.at(x, e.start).Unix()] = true
	}
	return slices.DeleteFunc(starts, func(at time.Time) bool { return excluded[at.Unix()] }), nil
}

// wallOf returns the wall clock of a time, in UTC.
func wallOf(t time.Time) time.Time {
	y, m, d := t.Date()
	h, minute, s := t.Clock()
	return time.Date(y, m, d, h, minute, s, 0, time.UTC)
}

// at returns the time of w; a date without time has the wall clock of start.
func (r *calendarReader) at(w, start when) time.Time {
	if !w.day {
		return w.Time
	}
	wall := wallOf(start.Time)
	t, _ := r.inZone(wallOf(w.Time).Add(wall.Sub(midnight(wall))), start.zone)
	return t
}

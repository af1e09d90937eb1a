package roster

import (
	"slices"
	"strings"
	"time"
)

// zone is a time zone that a calendar defines (VTIMEZONE).
type zone struct {
	observances []observance
	byYear      map[int][]onset
}

// onset is the beginning of an offset.
type onset struct {
	at     time.Time // wall clock before it, in UTC
	offset int
}

// observance is one offset of a zone, and when it begins.
type observance struct {
	first  time.Time // wall clock, in UTC
	from   int       // offset before, in seconds
	offset int       // in seconds
	rules  []rule
	more   []time.Time
}

// windowsZones are the names of time zones on Windows (Unicode CLDR, windowsZones, territory 001)
// in Europe, and the largest elsewhere. Others are found by the definition in the calendar.
var windowsZones = map[string]string{
	"w. europe standard time": "Europe/Berlin", "central europe standard time": "Europe/Budapest", "romance standard time": "Europe/Paris",
	"central european standard time": "Europe/Warsaw", "gmt standard time": "Europe/London", "greenwich standard time": "Atlantic/Reykjavik",
	"e. europe standard time": "Europe/Chisinau", "fle standard time": "Europe/Kyiv", "gtb standard time": "Europe/Bucharest",
	"turkey standard time": "Europe/Istanbul", "kaliningrad standard time": "Europe/Kaliningrad", "russian standard time": "Europe/Moscow",
	"belarus standard time": "Europe/Minsk", "azores standard time": "Atlantic/Azores", "utc": "UTC", "coordinated universal time": "UTC",
	"eastern standard time": "America/New_York", "central standard time": "America/Chicago", "mountain standard time": "America/Denver",
	"pacific standard time": "America/Los_Angeles", "israel standard time": "Asia/Jerusalem", "india standard time": "Asia/Kolkata",
	"china standard time": "Asia/Shanghai", "tokyo standard time": "Asia/Tokyo", "aus eastern standard time": "Australia/Sydney",
	// Names that German versions of Outlook and Exchange write.
	"mitteleuropäische zeit": "Europe/Berlin", "mitteleuropäische sommerzeit": "Europe/Berlin", "westeuropäische normalzeit": "Europe/Berlin", "w. europe": "Europe/Berlin",
	"cet": "Europe/Berlin", "cest": "Europe/Berlin", "mez": "Europe/Berlin", "mesz": "Europe/Berlin",
}

// inZone returns the time at which the clocks of a zone show wall; ok is false for an unknown
// zone. The zone "" is Local.
func (r *calendarReader) inZone(wall time.Time, name string) (t time.Time, ok bool) {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	if name == "" {
		return onClock(wall, r.Local), true
	}
	l, cached := r.locations[name]
	if !cached {
		l = knownZone(name)
		if len(r.locations) < maxLocations {
			r.locations[name] = l
		}
	}
	if l != nil {
		return onClock(wall, l), true
	}
	if z := r.zones[name]; z != nil && len(z.observances) > 0 {
		offset := z.offset(wall, &r.budget)
		return wall.Add(-time.Duration(offset) * time.Second).In(time.FixedZone(tidy(name), offset)), true
	}
	return time.Time{}, false
}

func onClock(wall time.Time, l *time.Location) time.Time {
	y, m, d := wall.Date()
	h, minute, s := wall.Clock()
	return time.Date(y, m, d, h, minute, s, 0, l)
}

// maxLocations limits the cached names of zones.
const maxLocations = 200

// knownZone returns the zone with a name of the IANA database or of Windows; nil if it is unknown.
func knownZone(name string) *time.Location {
	lower := strings.ToLower(name)
	if iana, ok := windowsZones[lower]; ok {
		name = iana
	} else if _, windows, ok := strings.Cut(lower, "tzone://microsoft/"); ok && windowsZones[windows] != "" {
		name = windowsZones[windows]
	} else if strings.Contains(lower, "amsterdam, berlin") { // "(UTC+01:00) Amsterdam, Berlin, Bern, Rom, …"
		name = "Europe/Berlin"
	}
	// "/mozilla.org/20050126_1/Europe/Berlin", "/citadel.org/20210210_1/Europe/Berlin"
	for strings.HasPrefix(name, "/") && strings.Contains(name[1:], "/") {
		_, name, _ = strings.Cut(name[1:], "/")
		if l := load(name); l != nil {
			return l
		}
		name = "/" + name
	}
	return load(name)
}

func load(name string) *time.Location {
	if name == "" || name == "Local" || len(name) > 64 || !strings.Contains(name, "/") && name != "UTC" {
		return nil
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return l
}

// defineZone reads a VTIMEZONE.
func (r *calendarReader) defineZone(c *component) {
	id, _ := c.find("TZID")
	name := strings.Trim(strings.TrimSpace(id.value), `"`)
	if len(r.zones) >= 200 {
		return
	}
	z := &zone{byYear: map[int][]onset{}}
	for _, part := range c.parts {
		if part.name != "STANDARD" && part.name != "DAYLIGHT" || len(z.observances) >= 200 {
			continue
		}
		from, okFrom := offsetOf(part, "TZOFFSETFROM")
		to, okTo := offsetOf(part, "TZOFFSETTO")
		start, found := part.find("DTSTART")
		first, err := time.Parse("20060102T150405", strings.TrimSuffix(strings.TrimSpace(start.value), "Z"))
		if !okTo || !found || err != nil {
			continue
		}
		if !okFrom {
			from = to
		}
		o := observance{first: first, from: from, offset: to}
		for _, p := range part.properties {
			switch p.name {
			case "RRULE":
				if u, err := (&calendarReader{Calendar: Calendar{Local: time.UTC}}).parseRule(p.value); err == nil && len(o.rules) < 4 {
					if !u.until.IsZero() && !u.until.day { // in UTC, while rules here are in wall clock
						u.until.Time = u.until.Add(time.Duration(from) * time.Second)
					}
					o.rules = append(o.rules, u)
				}
			case "RDATE":
				for value := range strings.SplitSeq(p.value, ",") {
					if t, err := time.Parse("20060102T150405", strings.TrimSpace(value)); err == nil && len(o.more) < 500 {
						o.more = append(o.more, t)
					}
				}
			}
		}
		z.observances = append(z.observances, o)
	}
	r.zones[name] = z
}

// offset returns the offset from UTC when the clocks show wall: that of the observance that began
// last. Of an hour that the clocks show twice, the first one counts (RFC 5545, section 3.3.5).
func (z *zone) offset(wall time.Time, budget *int) int {
	year := wall.Year()
	onsets, known := z.byYear[year]
	if !known {
		for _, o := range z.observances {
			onsets = append(onsets, o.onsets(year, budget)...)
		}
		slices.SortStableFunc(onsets, func(a, b onset) int { return a.at.Compare(b.at) })
		z.byYear[year] = onsets
	}
	offset := z.observances[0].from
	for _, o := range onsets {
		if o.at.After(wall) {
			break
		}
		offset = o.offset
	}
	return offset
}

// onsets returns when the observance begins in a year, and the last times before it.
func (o observance) onsets(year int, budget *int) []onset {
	all := []onset{{o.first, o.offset}}
	for _, t := range o.more {
		all = append(all, onset{t, o.offset})
	}
	same := func(wall time.Time) time.Time { return wall }
	for _, u := range o.rules {
		until := time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		if !u.until.IsZero() && u.until.Before(until) {
			until = u.until.Add(time.Second)
		}
		starts, _ := u.starts(recurrence{o.first, same, Window{until.AddDate(-2, 0, 0), until}, budget})
		for _, t := range starts {
			all = append(all, onset{t, o.offset})
		}
	}
	return all
}

// offsetOf parses an offset such as +0100 or -033000, in seconds.
func offsetOf(c *component, name string) (int, bool) {
	p, _ := c.find(name)
	v := strings.TrimSpace(p.value)
	if len(v) != 5 && len(v) != 7 || v[0] != '+' && v[0] != '-' {
		return 0, false
	}
	n, ok := parseNumber(v[1:], 0, 235959)
	if len(v) == 5 {
		n *= 100
	}
	seconds := n/10000*3600 + n/100%100*60 + n%100
	if v[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok && seconds < 86400 && seconds > -86400
}

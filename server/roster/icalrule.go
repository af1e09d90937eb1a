package roster

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errRule means that a recurrence rule cannot be parsed.
var errRule = errors.New("their recurrence rule cannot be read")

// maxPeriods limits the days, weeks, months or years that a rule passes through: daily
// for more than 400 years. Later recurrences are not found.
const maxPeriods = 160_000

// rule is a recurrence rule (RFC 5545, 3.3.10), for the frequencies of sessions: daily to
// yearly. Rules for hours and less, and for numbered weeks and days of the year, are
// rejected.
type rule struct {
	freq      string
	interval  int
	count     int  // 0 for unlimited
	until     when // zero for unlimited
	byDay     []weekday
	byMonth   []int
	byDayOfMo []int
	bySetPos  []int
	weekStart time.Weekday
}

// weekday is a day of the week; n selects the nth of the month or year, counted from its end if it
// is negative, 0 selects all.
type weekday struct {
	n   int
	day time.Weekday
}

var weekdays = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

func (r *calendarReader) parseRule(s string) (rule, error) {
	u := rule{interval: 1, weekStart: time.Monday}
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(s)), ";") {
		name, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		ok := true
		switch strings.TrimSpace(name) {
		case "":
		case "FREQ":
			u.freq = value
			ok = slices.Contains([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, value)
		case "INTERVAL":
			u.interval, ok = parseNumber(value, 1, 1000)
		case "COUNT":
			u.count, ok = parseNumber(value, 1, 1_000_000)
		case "UNTIL":
			var err error
			u.until, err = r.parseWhen(value, "")
			ok = err == nil
		case "BYDAY":
			u.byDay, ok = parseWeekdays(value)
		case "BYMONTH":
			u.byMonth, ok = parseNumbers(value, 1, 12)
		case "BYMONTHDAY":
			u.byDayOfMo, ok = parseNumbers(value, -31, 31)
		case "BYSETPOS":
			u.bySetPos, ok = parseNumbers(value, -366, 366)
		case "WKST":
			u.weekStart, ok = weekdays[value]
		default:
			ok = strings.HasPrefix(name, "X-")
		}
		if !ok {
			return u, fmt.Errorf("%w: %.60q", errRule, part)
		}
	}
	if u.freq == "" {
		return u, fmt.Errorf("%w: %.60q has no frequency", errRule, s)
	}
	return u, nil
}

func parseNumber(s string, least, most int) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "+"))
	return n, err == nil && n >= least && n <= most
}

// parseNumbers parses a list of at most 62 numbers without 0.
func parseNumbers(s string, least, most int) ([]int, bool) {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		n, ok := parseNumber(strings.TrimSpace(part), least, most)
		if !ok || n == 0 || len(list) >= 62 {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

func parseWeekdays(s string) ([]weekday, bool) {
	var list []weekday
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if len(part) < 2 || len(list) >= 100 {
			return nil, false
		}
		day, ok := weekdays[part[len(part)-2:]]
		n := 0
		if number := part[:len(part)-2]; number != "" {
			var fine bool
			n, fine = parseNumber(number, -53, 53)
			ok = ok && fine && n != 0
		}
		if !ok {
			return nil, false
		}
		list = append(list, weekday{n, day})
	}
	return list, true
}

// recurrence contains what the starts of a rule depend on besides the rule itself.
type recurrence struct {
	first  time.Time // wall clock of the first start, in UTC
	clock  func(wall time.Time) time.Time
	window Window
	// budget is the number of days and periods that may still be examined, in all events of a
	// calendar.
	budget *int
}

// maxDays is the number of days and periods that the rules of a calendar may examine.
const maxDays = 2_000_000

// starts returns the recurrences in the window. They have the wall clock of the first
// one, so that 18:00 remains 18:00 when the clocks change.
func (u rule) starts(p recurrence) ([]time.Time, error) {
	var found []time.Time
	n := 0
	for period := range maxPeriods {
		begin := u.period(p.first, period)
		if begin.After(p.window.Until.AddDate(0, 0, 2)) || begin.Year() > 9990 {
			return found, nil
		}
		end := u.end(begin)
		skipped := u.count == 0 && end.Before(p.window.From.AddDate(0, 0, -2))
		if *p.budget--; !skipped {
			*p.budget -= int(end.Sub(begin).Hours()) / 24
		}
		if *p.budget < 0 {
			return nil, fmt.Errorf("the calendar is %w: its recurrence rules require more than %d days to be examined", ErrTooLarge, maxDays)
		}
		if skipped {
			continue
		}
		for _, day := range u.days(begin, end, p.first) {
			wall := day.Add(p.first.Sub(midnight(p.first)))
			if wall.Before(p.first) {
				continue
			}
			at := p.clock(wall)
			if !u.until.IsZero() && (u.until.day && day.Format("20060102") > u.until.Format("20060102") || !u.until.day && at.After(u.until.Time)) {
				return found, nil
			}
			if n++; u.count > 0 && n > u.count {
				return found, nil
			}
			if p.window.contains(at) {
				found = append(found, at)
			}
			if len(found) > maxRecurrences {
				return nil, fmt.Errorf("the calendar is %w: an event recurs more than %d times within the imported period", ErrTooLarge, maxRecurrences)
			}
		}
	}
	return found, nil
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// period returns the first day of the nth period, in UTC, so that adding days is exact.
func (u rule) period(first time.Time, n int) time.Time {
	y, m, d := first.Date()
	n *= u.interval
	switch u.freq {
	case "DAILY":
		return time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC)
	case "WEEKLY":
		back := (int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday()) - int(u.weekStart) + 7) % 7
		return time.Date(y, m, d-back+7*n, 0, 0, 0, 0, time.UTC)
	case "MONTHLY":
		return time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(y+n, 1, 1, 0, 0, 0, 0, time.UTC)
}

// end returns the day after the period that begins on a day.
func (u rule) end(begin time.Time) time.Time {
	switch u.freq {
	case "DAILY":
		return begin.AddDate(0, 0, 1)
	case "WEEKLY":
		return begin.AddDate(0, 0, 7)
	case "MONTHLY":
		return begin.AddDate(0, 1, 0)
	}
	return begin.AddDate(1, 0, 0)
}

// days returns the days of a period, sorted.
func (u rule) days(begin, end, first time.Time) []time.Time {
	var list []time.Time
	for day := begin; day.Before(end); day = day.AddDate(0, 0, 1) {
		if u.includes(day, first) {
			list = append(list, day)
		}
	}
	if len(u.bySetPos) == 0 {
		return list
	}
	var chosen []time.Time
	for i, day := range list {
		if slices.Contains(u.bySetPos, i+1) || slices.Contains(u.bySetPos, i-len(list)) {
			chosen = append(chosen, day)
		}
	}
	return chosen
}

// includes reports whether the rule includes a day. Parts that the rule does not specify
// are taken from the first start (RFC 5545: "information ... is taken from DTSTART").
func (u rule) includes(day, first time.Time) bool {
	if len(u.byMonth) > 0 && !slices.Contains(u.byMonth, int(day.Month())) {
		return false
	}
	if len(u.byDayOfMo) > 0 {
		last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		if !slices.Contains(u.byDayOfMo, day.Day()) && !slices.Contains(u.byDayOfMo, day.Day()-last-1) {
			return false
		}
	}
	if len(u.byDay) > 0 {
		return slices.ContainsFunc(u.byDay, func(w weekday) bool { return w.day == day.Weekday() && (w.n == 0 || u.isNth(day, w.n)) })
	}
	if len(u.byDayOfMo) > 0 {
		return true
	}
	switch u.freq {
	case "WEEKLY":
		return day.Weekday() == first.Weekday()
	case "MONTHLY":
		return day.Day() == first.Day()
	case "YEARLY":
		return day.Day() == first.Day() && (len(u.byMonth) > 0 || day.Month() == first.Month())
	}
	return true
}

// isNth reports whether a day is the nth of its weekday in the month, or in the year for a yearly
// rule without months.
func (u rule) isNth(day time.Time, n int) bool {
	at, last := day.Day(), time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if u.freq == "YEARLY" && len(u.byMonth) == 0 {
		at, last = day.YearDay(), time.Date(day.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
	}
	if n > 0 {
		return (at-1)/7+1 == n
	}
	return (last-at)/7+1 == -n
}

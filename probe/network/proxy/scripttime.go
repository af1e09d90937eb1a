package proxy

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// moment is the time for the ranges of a script: local time, or UTC if the script
// says GMT.
type moment struct{ time.Time }

func momentOf(t time.Time, gmt bool) moment {
	if gmt {
		return moment{t.UTC()}
	}
	return moment{t.Local()}
}

func weekdays() []string { return []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} }

func months() []string {
	return []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
}

// inWeekdays implements weekdayRange with one or two weekdays, such as ("MON",
// "FRI").
func (m moment) inWeekdays(args []string) bool {
	if len(args) < 1 || len(args) > 2 {
		return false
	}
	from, to := slices.Index(weekdays(), args[0]), slices.Index(weekdays(), args[len(args)-1])
	return from >= 0 && to >= 0 && within([]int{from}, []int{int(m.Weekday())}, []int{to})
}

// inDates implements dateRange with one or two dates, each a day, a month, a year
// or several of these in this order.
func (m moment) inDates(args []string) bool {
	first, last, ok := halves(args)
	if !ok || len(first) > 3 {
		return false
	}
	from, kinds := dateOf(first)
	to, others := dateOf(last)
	if from == nil || !slices.Equal(kinds, others) {
		return false
	}
	var now []int
	for _, kind := range kinds {
		now = append(now, map[string]int{"year": m.Year(), "month": int(m.Month()), "day": m.Day()}[kind])
	}
	return within(from, now, to)
}

// dateOf parses a date. The most significant part comes first, for comparisons.
func dateOf(args []string) (values []int, kinds []string) {
	for _, arg := range slices.Backward(args) {
		month := slices.Index(months(), arg)
		n, err := strconv.Atoi(arg)
		switch {
		case month >= 0:
			values, kinds = append(values, month+1), append(kinds, "month")
		case err != nil || n < 1:
			return nil, nil
		case n <= 31:
			values, kinds = append(values, n), append(kinds, "day")
		default:
			values, kinds = append(values, n), append(kinds, "year")
		}
	}
	return values, kinds
}

// inTimes implements timeRange with hours, minutes and seconds, the latter two
// optional.
func (m moment) inTimes(args []string) bool {
	first, last, ok := halves(args)
	if !ok || len(first) > 3 {
		return false
	}
	now := []int{m.Hour(), m.Minute(), m.Second()}[:len(first)]
	var from, to []int
	for i := range first {
		a, err := strconv.Atoi(first[i])
		b, err2 := strconv.Atoi(last[i])
		if err != nil || err2 != nil {
			return false
		}
		from, to = append(from, a), append(to, b)
	}
	return within(from, now, to)
}

// halves splits the arguments of a range into its two ends; a single value is both.
func halves(args []string) (first, last []string, ok bool) {
	switch n := len(args); {
	case n == 1:
		return args, args, true
	case n > 0 && n%2 == 0:
		return args[:n/2], args[n/2:], true
	}
	return nil, nil, false
}

// within reports whether now is in the range, both ends included. A range whose end
// precedes its start extends over the end of the week, day or year.
func within(from, now, to []int) bool {
	after, before := slices.CompareFunc(from, now, cmp.Compare[int]) <= 0, slices.CompareFunc(now, to, cmp.Compare[int]) <= 0
	if slices.CompareFunc(from, to, cmp.Compare[int]) <= 0 {
		return after && before
	}
	return after || before
}

package proxy

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// moment is the time as the ranges of a script see it: on the wall, or of the
// world where the script says GMT.
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

// inWeekdays is weekdayRange("MON", "FRI"), or of one day.
func (m moment) inWeekdays(args []string) bool {
	if len(args) < 1 || len(args) > 2 {
		return false
	}
	from, to := slices.Index(weekdays(), args[0]), slices.Index(weekdays(), args[len(args)-1])
	return from >= 0 && to >= 0 && within([]int{from}, []int{int(m.Weekday())}, []int{to})
}

// inDates is dateRange with one date or two, each of a day, a month, a year or
// several of these in this order.
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

// dateOf reads a date; the largest part comes first, for comparing.
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

// inTimes is timeRange with hours, with hours and minutes, or with seconds too.
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

// halves parts the arguments of a range into its two ends; a single one is both.
func halves(args []string) (first, last []string, ok bool) {
	switch n := len(args); {
	case n == 1:
		return args, args, true
	case n > 0 && n%2 == 0:
		return args[:n/2], args[n/2:], true
	}
	return nil, nil, false
}

// within says whether now lies between two ends, both included. A range whose
// end comes before its begin goes over the turn of the week, day or year.
func within(from, now, to []int) bool {
	after, before := slices.CompareFunc(from, now, cmp.Compare[int]) <= 0, slices.CompareFunc(now, to, cmp.Compare[int]) <= 0
	if slices.CompareFunc(from, to, cmp.Compare[int]) <= 0 {
		return after && before
	}
	return after || before
}

package diagnose

import (
	"math"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// DurationText returns a duration as a person says it: "40 Sekunden", "eine Minute".
func DurationText(seconds float64, lang phrase.Lang) string {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	n, unit := seconds, "second"
	switch {
	case seconds >= 2*day:
		n, unit = seconds/day, "day"
	case seconds >= 2*hour:
		n, unit = seconds/hour, "hour"
	case seconds >= 2*minute:
		n, unit = seconds/minute, "minute"
	}
	whole := max(1, math.Round(n))
	if whole == 1 {
		return book(lang).T("duration." + unit + "_one")
	}
	return book(lang).T("duration."+unit, "n", strconv.FormatFloat(whole, 'f', 0, 64))
}

// durationIn adds the duration in the evidence to the placeholders of a sentence.
func durationIn(evidence []report.Evidence, names map[string]string, lang phrase.Lang) {
	for _, e := range evidence {
		if s, ok := e.Value.(float64); ok && strings.HasSuffix(e.Field, ".duration_s") {
			names["duration"] = DurationText(s, lang)
		}
	}
}

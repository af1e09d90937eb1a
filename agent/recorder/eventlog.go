package recorder

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/report"
)

// eventLog contains the recent events of the watchers, of the recorder and of the system's
// own records. Duplicates are merged.
type eventLog struct {
	known []report.HostEvent
	// inReports are the events that are in a report, or will be.
	inReports []report.HostEvent
}

// maxKnown limits the events in memory.
const maxKnown = 256

// add merges an event, and returns it with all details that are known. better is true if
// the event was known, and e added details.
func (a *eventLog) add(e report.HostEvent) (whole report.HostEvent, isNew, better bool) {
	i := slices.IndexFunc(a.known, func(k report.HostEvent) bool { return crash.Same(k, e) })
	if i < 0 {
		a.known = last(append(a.known, e), maxKnown)
		return e, true, false
	}
	merged := crash.Merge([]report.HostEvent{a.known[i], e})
	if len(merged) != 1 {
		return a.known[i], false, false
	}
	better = !equal(merged[0], a.known[i])
	a.known[i] = merged[0]
	return merged[0], false, better
}

func equal(a, b report.HostEvent) bool {
	same := (a.DurationS == nil) == (b.DurationS == nil) && (a.DurationS == nil || *a.DurationS == *b.DurationS)
	return same && a.Detail == b.Detail && a.Program == b.Program
}

func (a *eventLog) reported(e report.HostEvent) bool {
	return slices.ContainsFunc(a.inReports, func(k report.HostEvent) bool { return crash.Same(k, e) })
}

func (a *eventLog) markReported(e report.HostEvent) {
	a.inReports = last(append(a.inReports, e), maxKnown)
}

// isSwitchedOff reports whether an event is the loss of a Wi-Fi that a person switched off. On
// Windows only the system's records show that, which are read later.
func (a *eventLog) isSwitchedOff(e report.HostEvent) bool {
	if e.Kind != report.EventWiFiDropped {
		return false
	}
	merged := crash.Merge(a.known, []report.HostEvent{e})
	return !slices.ContainsFunc(merged, func(k report.HostEvent) bool { return crash.Same(k, e) })
}

// since returns the events between from and now in the form of a report.
func (a *eventLog) since(from, now time.Time) *report.HostCrash {
	const maxEvents = 64
	c := &report.HostCrash{
		WindowS: new(now.Sub(from).Seconds()), Sources: []report.HostSource{{Name: "recorder", State: "read"}},
		Events: []report.HostEvent{},
	}
	for _, e := range crash.Merge(a.known) {
		if !e.At.Before(from) && !e.At.After(now) {
			c.Events = append(c.Events, e)
		}
	}
	c.Events = last(c.Events, maxEvents)
	return c
}

func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// order ranks the kinds of events that cause a report: those that explain the most come first.
var order = [...]report.HostEventKind{
	report.EventBluescreen, report.EventUnexpectedShutdown, report.EventOutOfMemory, report.EventClientCrashed,
	report.EventClientHung, report.EventGPUReset, report.EventSoundCrashed, report.EventWiFiDropped, report.EventConnectionLost, report.EventDeviceUnplugged,
}

func rank(k report.HostEventKind) int {
	if i := slices.Index(order[:], k); i >= 0 {
		return i
	}
	return len(order)
}

// minAwayS is the shortest outage that is reported. Conference systems bridge shorter ones.
const minAwayS = 8.0

// isReportable reports whether an event may have ended somebody's conference. A lost network,
// microphone or sound system does not matter while no conference program runs.
func isReportable(e report.HostEvent, running bool) bool {
	switch e.Kind {
	case report.EventDeviceUnplugged, report.EventSoundCrashed:
		return running
	case report.EventWiFiDropped, report.EventConnectionLost:
		return e.Program != "" && e.DurationS != nil && *e.DurationS >= minAwayS
	}
	return rank(e.Kind) < len(order)
}

// limiter is a token bucket that limits the reports of events: a Wi-Fi connection that
// drops repeatedly causes the same report each time.
type limiter struct {
	tokens     float64
	at         time.Time
	suppressed int // since the last report
}

const (
	burst       = 3
	refillEvery = 30 * time.Minute
)

func newLimiter(now time.Time) limiter { return limiter{tokens: burst, at: now} }

func (l *limiter) allow(now time.Time) bool {
	if passed := now.Sub(l.at); passed > 0 {
		l.tokens = min(burst, l.tokens+passed.Seconds()/refillEvery.Seconds())
	}
	l.at = now
	if l.tokens < 1 {
		l.suppressed++
		return false
	}
	l.tokens--
	return true
}

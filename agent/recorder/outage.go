package recorder

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// minLost is how many samples in a row without an answer are an outage. Single packets are lost on
	// any line.
	minLost = 3
	// minNoLink is the same for a missing link, which is certain.
	minNoLink = 2
	// settle is the time after a sleep in which a missing connection is attributed to the
	// sleep.
	settle = time.Minute
	// maxGap is the longest time between two samples of an uninterrupted series. Two
	// packets without an answer delay a sample by 1.5 s.
	maxGap = 15 * time.Second
	// ongoing is the duration after which an outage is emitted although it is not over.
	ongoing = 2 * time.Minute
)

// Details of report.EventConnectionLost.
const (
	// lostLink: an interface other than Wi-Fi had no carrier or no address.
	lostLink = "link"
	// lostRouter: the router did not answer.
	lostRouter = "router"
	// lostBeyond: the router answered, but the collector did not. The fault may be that of the provider
	// or of the collector.
	lostBeyond = "beyond_router"
)

// outages finds in successive samples when the computer had no connection.
type outages struct {
	last      Sample
	known     bool
	settledAt time.Time // the time settle after the last sleep

	since    time.Time         // zero without an outage
	awayAt   time.Time         // of the last sample that showed it
	gateway  bool              // the last packet to the router was lost
	server   bool              // the last packet to the collector was lost
	lost     int               // samples in a row
	noLink   int               // of these, those without a link
	router   int               // of these, those without an answer from the router
	off      bool              // a person switched the Wi-Fi off
	kind     string            // of the last link before the outage
	programs []string          // programs that have run throughout
	emitted  *report.HostEvent // nil until the outage was emitted
}

// observe takes the next sample and returns an event if an outage is over, or has lasted for
// ongoing.
func (o *outages) observe(s Sample) (report.HostEvent, bool) {
	last := o.last
	gap := o.known && (s.At.Sub(last.At) > maxGap || s.At.Before(last.At))
	o.last, o.known = s, true
	if gap {
		// There were no samples in between: the computer slept, or its clock was set.
		e, ok := o.end(o.awayAt)
		o.settledAt = s.At.Add(settle)
		o.begin(s, last.Link)
		return e, ok
	}
	if !isAway(s) {
		if o.isUncertain(s) {
			return report.HostEvent{}, false
		}
		return o.end(s.At)
	}
	var e report.HostEvent
	var ok bool
	if !o.since.IsZero() && !last.At.Equal(o.awayAt) {
		// The first outage may have ended long ago.
		e, ok = o.end(o.awayAt)
	}
	if o.since.IsZero() {
		o.begin(s, last.Link)
	}
	o.count(s)
	if o.emitted == nil && o.qualifies() && s.At.Sub(o.since) >= ongoing {
		e, ok = o.event(s.At), true
		o.emitted = &e
	}
	return e, ok
}

// inProgress reports whether the last sample showed an outage.
func (o *outages) inProgress() bool { return !o.since.IsZero() && o.last.At.Equal(o.awayAt) }

// isUncertain reports whether a sample shows neither that the outage continues nor that it is over:
// the machine that did not answer counts as one that never does, and has not answered again.
func (o *outages) isUncertain(s Sample) bool {
	switch {
	case o.since.IsZero(), s.Server.Answered:
		return false
	case o.gateway:
		return !s.Gateway.Asked
	case o.server:
		return !s.Server.Asked
	}
	return false
}

// isAway reports whether a sample shows no connection. A router that does not answer is
// not an outage if the collector does.
func isAway(s Sample) bool {
	return s.Link == "none" || !s.Server.Answered && (s.Gateway.lost() || s.Server.lost())
}

func (o *outages) begin(s Sample, kind string) {
	if !isAway(s) {
		return
	}
	*o = outages{last: o.last, known: o.known, settledAt: o.settledAt, since: s.At, awayAt: s.At, kind: kind, programs: s.Programs}
}

func (o *outages) count(s Sample) {
	o.awayAt = s.At
	o.lost++
	if s.Link == "none" {
		o.noLink++
		o.gateway, o.server = false, false
	}
	if s.Gateway.Asked {
		o.gateway = s.Gateway.lost()
	}
	if s.Server.Asked {
		o.server = s.Server.lost()
	}
	if s.Gateway.lost() {
		o.router++
	}
	o.off = o.off || s.WiFiOff
	o.programs = slices.DeleteFunc(slices.Clone(o.programs), func(p string) bool { return !slices.Contains(s.Programs, p) })
}

// qualifies reports whether the outage is long enough to be emitted, was not caused by a
// person, and did not begin right after a sleep.
func (o *outages) qualifies() bool {
	return !o.off && !o.since.Before(o.settledAt) && (o.noLink >= minNoLink || o.lost >= minLost)
}

func (o *outages) end(at time.Time) (report.HostEvent, bool) {
	if o.since.IsZero() {
		return report.HostEvent{}, false
	}
	e, ok := o.event(at), o.qualifies()
	o.since, o.lost, o.noLink, o.router, o.off, o.emitted = time.Time{}, 0, 0, 0, false, nil
	return e, ok
}

// event describes the outage by its most basic cause: after the Wi-Fi connection was
// lost, a router that does not answer yet is a consequence. An outage that was emitted keeps
// its cause and its program, otherwise it would count as another one.
func (o *outages) event(until time.Time) report.HostEvent {
	const maxS = 7 * 24 * 60 * 60
	durationS := min(maxS, until.Sub(o.since).Seconds())
	if o.emitted != nil {
		e := *o.emitted
		e.DurationS = &durationS
		return e
	}
	e := report.HostEvent{At: o.since.UTC().Truncate(time.Second), DurationS: &durationS}
	if len(o.programs) > 0 {
		e.Program = o.programs[0]
	}
	switch {
	case o.noLink >= minNoLink && o.kind == "wifi":
		e.Kind = report.EventWiFiDropped
	case o.noLink >= minNoLink:
		e.Kind, e.Detail = report.EventConnectionLost, lostLink
	case o.router >= minLost:
		e.Kind, e.Detail = report.EventConnectionLost, lostRouter
	default:
		e.Kind, e.Detail = report.EventConnectionLost, lostBeyond
	}
	return e
}

package crash

import (
	"cmp"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// sameWithin is the maximum time between records of one event. A crash leaves a
// dump, a log entry and a report within a few seconds; Windows records at the next
// start that the last shutdown was unexpected.
const sameWithin = 15 * time.Second

// sameStart is the same for an unexpected end of the system, which is recorded when it starts again: the
// kernel, the event log and the error reporting do so one after the other.
const sameStart = 5 * time.Minute

// besideSwitch is the time within which a lost Wi-Fi is attributed to a person who
// switched it off. The kernel records both at once; an observer notices the loss a little
// later.
const besideSwitch = 10 * time.Second

// Merge combines the events of several observers: sorted by time, each event once, with
// the most informative details.
func Merge(observed ...[]report.HostEvent) []report.HostEvent {
	return merge(slices.Concat(observed...))
}

// merge sorts events by time and merges records of the same event.
func merge(all []report.HostEvent) []report.HostEvent {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b report.HostEvent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Program, b.Program))
	})
	kept := make([]report.HostEvent, 0, len(all))
	for _, e := range all {
		i := slices.IndexFunc(kept, func(k report.HostEvent) bool { return Same(k, e) })
		if i < 0 {
			kept = append(kept, e)
			continue
		}
		kept[i] = combined(kept[i], e)
	}
	beside := func(e report.HostEvent, within time.Duration, explains func(report.HostEvent) bool) bool {
		return slices.ContainsFunc(kept, func(k report.HostEvent) bool { return explains(k) && k.At.Sub(e.At).Abs() <= within })
	}
	return slices.DeleteFunc(slices.Clone(kept), func(e report.HostEvent) bool {
		switch e.Kind {
		case report.EventWiFiDropped:
			return beside(e, besideSwitch, func(k report.HostEvent) bool {
				return k.Kind == report.EventLinkChanged && k.Detail == detailSwitchedOff
			})
		case report.EventUnexpectedShutdown: // a blue screen is one, too
			return beside(e, sameStart, func(k report.HostEvent) bool { return k.Kind == report.EventBluescreen })
		}
		return false
	})
}

// Same reports whether two records describe the same event. A record without a program
// may belong to any program: the system records that the Wi-Fi was lost, but only an
// observer records which program was running.
func Same(a, b report.HostEvent) bool {
	within := sameWithin
	if a.Kind == report.EventBluescreen || a.Kind == report.EventUnexpectedShutdown {
		within = sameStart
	}
	if a.Kind != b.Kind || b.At.Sub(a.At).Abs() > within {
		return false
	}
	switch a.Kind {
	case report.EventLinkChanged, report.EventDeviceChanged, report.EventPowerChanged, report.EventOverloaded, report.EventClockChanged:
		return a.Detail == b.Detail
	case report.EventWiFiDropped, report.EventConnectionLost:
		return a.Program == b.Program || a.Program == "" || b.Program == ""
	}
	return a.Program == b.Program
}

// combined returns record a with those details that b, another record of the same event,
// contains more precisely.
func combined(a, b report.HostEvent) report.HostEvent {
	if detailRank(b.Detail) > detailRank(a.Detail) {
		a.Detail = b.Detail
	}
	if a.Program == "" {
		a.Program = b.Program
	}
	if b.DurationS != nil && (a.DurationS == nil || *b.DurationS > *a.DurationS) {
		a.DurationS = b.DurationS
	}
	return a
}

// detailSwitchedOff means that a person switched the network off, or to another one.
const detailSwitchedOff = "switched_off"

// detailDump means that there is only a dump, without a reason.
const detailDump = "dump"

// detailRank ranks details by how informative they are.
func detailRank(detail string) int {
	switch detail {
	case "":
		return 0
	case detailDump:
		return 1
	}
	return 2
}

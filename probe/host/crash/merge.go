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

// merge sorts events by time and merges records of the same event.
func merge(all []report.HostEvent) []report.HostEvent {
	slices.SortStableFunc(all, func(a, b report.HostEvent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Program, b.Program))
	})
	kept := make([]report.HostEvent, 0, len(all))
	for _, e := range all {
		i := slices.IndexFunc(kept, func(k report.HostEvent) bool { return same(k, e) })
		switch {
		case i < 0:
			kept = append(kept, e)
		case told(e.Detail) > told(kept[i].Detail):
			kept[i].Detail = e.Detail
		}
	}
	return kept
}

func same(a, b report.HostEvent) bool {
	if a.Program != b.Program || b.At.Sub(a.At).Abs() > sameWithin {
		return false
	}
	if a.Kind == report.EventLinkChanged || a.Kind == report.EventDeviceChanged {
		return a.Kind == b.Kind && a.Detail == b.Detail
	}
	return a.Kind == b.Kind
}

// detailDump means that there is only a dump, without a reason.
const detailDump = "dump"

// told ranks details by how informative they are.
func told(detail string) int {
	switch detail {
	case "":
		return 0
	case detailDump:
		return 1
	}
	return 2
}

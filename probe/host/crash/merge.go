package crash

import (
	"cmp"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// sameWithin is how far apart the records of one event may be. A program that
// crashes leaves a dump, an entry in a log and a report, each a few seconds later;
// Windows notes at the next start that the last one ended badly.
const sameWithin = 15 * time.Second

// merge orders events by time and makes one of those that tell the same.
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

// detailDump says that only a dump tells of a crash, not why.
const detailDump = "dump"

// told ranks how much a detail says.
func told(detail string) int {
	switch detail {
	case "":
		return 0
	case detailDump:
		return 1
	}
	return 2
}

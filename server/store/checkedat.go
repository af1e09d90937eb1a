package store

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// CheckedAt places a report's start on the server's clock: the agent's time
// less its measured offset, and never after the report came in. Without this a
// report from a computer whose clock runs a year ahead would stay "the latest"
// for a year.
func CheckedAt(r *report.Report, receivedAt time.Time) time.Time {
	at := r.StartedAt
	if web := report.Find[report.NetworkWeb](r); web != nil && web.ClockOffsetMS != nil {
		at = at.Add(-time.Duration(*web.ClockOffsetMS * float64(time.Millisecond)))
	}
	if at.After(receivedAt) {
		return receivedAt
	}
	return at
}

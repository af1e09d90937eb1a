package store

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// oldestCheck is the maximum time between the start of a check and its receipt. An
// agent that was offline may deliver late; a check that appears to be years old comes
// from a wrong clock, such as that of a computer whose battery is empty.
const oldestCheck = 400 * 24 * time.Hour

// CheckedAt converts a report's start to the server's clock: the agent's time less its
// measured offset. The result is never after the receipt: otherwise a report from a
// computer whose clock is a year ahead would stay "the latest" for a year. If the
// agent's clock contradicts the receipt in the other direction, the time of receipt is
// the best estimate.
func CheckedAt(r *report.Report, receivedAt time.Time) time.Time {
	// In milliseconds and floating point: an offset of 300 years, which a report may
	// contain, overflows a time.Duration.
	at := float64(r.StartedAt.UnixMilli())
	if web := report.Find[report.NetworkWeb](r); web != nil && web.ClockOffsetMS != nil {
		at -= *web.ClockOffsetMS
	}
	received := float64(receivedAt.UnixMilli())
	if math.IsNaN(at) || at > received || at < received-float64(oldestCheck.Milliseconds()) {
		return receivedAt
	}
	return time.UnixMilli(int64(at)).UTC()
}

package visit

import (
	"math"

	"github.com/pion/rtcp"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// FillUp sets the figures of a receiver report (RFC 3550 §6.4.1) on a stream whose sequence
// numbers begin at 0. Packets after the last one that the report covers are not evaluated.
func FillUp(d *report.MediaVoice, r rtcp.ReceptionReport, sent int) {
	covered := min(int(r.LastSequenceNumber&0xffff)+1, sent)
	if covered <= 1 {
		return
	}
	lost := min(LostOf(r), covered)
	d.UpReceived = new(covered - lost)
	d.UpLossPct, d.UpLossCI95 = LossOf(lost, covered)
	d.UpJitterMS = new(Round(float64(r.Jitter) * 1000 / wire.ClockRateHz))
}

// LostOf returns the number of lost packets in a report. It is a signed number of 24
// bits, negative if duplicates arrived.
func LostOf(r rtcp.ReceptionReport) int {
	const sign = 1 << 23
	if r.TotalLost&sign != 0 {
		return 0
	}
	return int(r.TotalLost)
}

// LossOf returns the share of lost packets in percent, and its 95 % interval.
func LossOf(lost, of int) (*float64, *report.Interval) {
	ci := stats.Wilson95(lost, of)
	return new(Round(100 * float64(lost) / float64(of))), &report.Interval{Round(ci.LowPct), Round(ci.HighPct)}
}

// Round rounds to 1/100.
func Round(v float64) float64 { return math.Round(v*100) / 100 }

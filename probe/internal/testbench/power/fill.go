package power

import (
	"cmp"
	"slices"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/report"
)

func sortByArrival(p []stats.Packet) {
	slices.SortStableFunc(p, func(a, b stats.Packet) int { return cmp.Compare(a.ArrivedNS, b.ArrivedNS) })
}

// fill sets the fields that the rules use, as probe/media does.
func fill(v *report.MediaVoice, u, d stats.Summary, rtt *stats.RoundTrips, reflected int) {
	v.UpReceived, v.UpLossPct, v.UpLossCI95, v.UpLossRunPackets = lossOf(u)
	v.DownSent = &reflected
	v.DownReceived, v.DownLossPct, v.DownLossCI95, v.DownLossRunPackets = lossOf(d)
	if u.Jitter != nil && d.Jitter != nil {
		v.UpJitterMS, v.DownJitterMS = new(thousandths(u.Jitter.MeanAbsDMS)), new(thousandths(d.Jitter.MeanAbsDMS))
	}
	if a, b := u.LatePct(60), d.LatePct(60); a != nil && b != nil {
		v.LatePct60MS = new(thousandths(max(*a, *b)))
	}
	v.UpQueueMS, v.DownQueueMS = u.QueueMS, d.QueueMS
	v.UpRateKbps, v.DownRateKbps = rateKbps(u), rateKbps(d)
	v.Reordered = new(u.Reordering.Reordered + d.Reordering.Reordered)
	if rtt != nil {
		v.RTTMinMS, v.RTTP50MS, v.RTTP95MS = new(rtt.Min), new(thousandths(rtt.P50)), new(rtt.P95)
	}
}

func lossOf(s stats.Summary) (received *int, pct *float64, ci *report.Interval, run *float64) {
	if s.Loss == nil {
		return nil, nil, nil, nil
	}
	return &s.Loss.Received, new(thousandths(s.Loss.Pct)), &report.Interval{s.Loss.CI95.LowPct, s.Loss.CI95.HighPct}, nil
}

func rateKbps(s stats.Summary) *float64 {
	if s.Slowed == nil {
		return nil
	}
	return new(thousandths(8 * voiceBytes / *s.Slowed * 1e6))
}

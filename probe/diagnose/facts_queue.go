package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// narrow reports, for each direction, whether the line carries less than the voice
// alone: loss and delay are then caused by the stream itself.
func (f *facts) narrow() (up, down bool) {
	v := f.stream()
	if v == nil {
		return false, false
	}
	return f.below(v.UpRateKbps, f.Link.UpKbps), f.below(v.DownRateKbps, f.Link.DownKbps)
}

func (f *facts) below(kbps *float64, limits Limit) bool {
	rate, ok := number(kbps)
	_, _, passed := limits.below(rate)
	return ok && passed && rate >= 0
}

// failsBelow is below for the rate at which a voice no longer fits.
func (f *facts) failsBelow(kbps *float64, limits Limit) bool {
	rate, _ := number(kbps)
	severity, _, _ := limits.below(rate)
	return f.below(kbps, limits) && severity == report.SeverityFail
}

// queues returns, for each direction, the range in ms over which the minimum delay rose
// and fell without being caused by the voice; 0 if it did not or that is unknown.
func (f *facts) queues() (upMS, downMS float64) {
	v := f.stream()
	if v == nil {
		return 0, 0
	}
	narrowUp, narrowDown := f.narrow()
	if ms, ok := number(v.UpQueueMS); ok && !narrowUp {
		upMS = max(0, ms)
	}
	if ms, ok := number(v.DownQueueMS); ok && !narrowDown {
		downMS = max(0, ms)
	}
	return upMS, downMS
}

// overflows reports that packets to a far end were lost while their round trips were
// far above that of the web connection: a full queue drops packets. The direction is
// unknown, so this counts only without a voice stream.
func (f *facts) overflows() (riseMS, limitMS float64, ok bool) {
	if f.stream() != nil || f.path == nil || f.web == nil || f.throughProxy() {
		return 0, 0, false
	}
	end := segmentsToward(f.webEnd())[0]
	before, ok := number(f.web.TCPMS)
	if !ok {
		return 0, 0, false
	}
	for _, s := range f.path.Segments {
		median, known := number(s.RTTMS)
		at := f.segment(s.Name)
		if s.Name != end || !known || !at.known() || at.share() < overflowShare {
			continue
		}
		if _, limit, passed := f.Link.BloatMS.above(median - before); passed {
			return median - before, limit, true
		}
	}
	return 0, 0, false
}

// overflowShare is the share of lost packets from which a queue counts as full: the
// round trips of a line that is merely lossy and far do not rise like this.
const overflowShare = 0.1

// queued reports that packets are late because of a queue, caused by others or by the
// voice itself. On a line that carries less than a voice and the check around it
// (media.load), the check's own packets are enough to fill one.
func (f *facts) queued() bool {
	narrowUp, narrowDown := f.narrow()
	if narrowUp || narrowDown {
		return true
	}
	if f.load != nil && (f.failsBelow(f.load.UpKbps, f.Link.UpKbps) || f.failsBelow(f.load.DownKbps, f.Link.DownKbps)) {
		return true
	}
	up, down := f.queues()
	_, _, passed := f.Link.BloatMS.above(max(up, down))
	return passed
}

// withoutQueue returns the round trip in ms that the line would have without queues. A
// queue that one transfer keeps full varies between half of its length and all of it,
// so that even the minimum round trip includes as much as the variation.
func (f *facts) withoutQueue(rttMS float64) float64 {
	v := f.stream()
	lowest, ok := number(v.RTTMinMS)
	if !ok {
		return rttMS
	}
	up, down := f.queues()
	return max(0, min(rttMS, lowest-up-down))
}

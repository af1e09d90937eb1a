package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// narrow says for each direction that the voice alone is more than the line lets
// through: what is lost and late then is the stream's own surplus.
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

// failsBelow is below where a voice does not fit any more.
func (f *facts) failsBelow(kbps *float64, limits Limit) bool {
	rate, _ := number(kbps)
	severity, _, _ := limits.below(rate)
	return f.below(kbps, limits) && severity == report.SeverityFail
}

// queues are by how much the delay that no packet escapes swung in each direction
// while the voice did not cause it, in ms; 0 where it did not or is unknown.
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

// overflows says that the way to a far end lost packets while its round trips
// stood far above the one at which the web's connection had come about: a queue
// that is full, and drops what does not fit. Nobody knows of which direction, so
// that it counts only where no voice stream tells.
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

// overflowShare is the share of packets a queue must drop to be called full to
// the brim: no line that is merely lossy and far lets its round trips rise so.
const overflowShare = 0.1

// queued says that a queue, somebody else's or the voice's own, is what makes
// packets late. On a line that media.load found to carry less than a voice and the
// check around it, the check's own packets are enough to fill one.
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

// withoutQueue is the round trip that a line with queues would have without them,
// in ms. A queue that one transfer keeps full swings between half of its height
// and all of it, so that the lowest round trip seen still holds as much as the
// swing.
func (f *facts) withoutQueue(rttMS float64) float64 {
	v := f.stream()
	lowest, ok := number(v.RTTMinMS)
	if !ok {
		return rttMS
	}
	up, down := f.queues()
	return max(0, min(rttMS, lowest-up-down))
}

package signal

import "math"

// channel is everything that is measured on one channel alone.
type channel struct {
	extended []float64 // the last block with the history before it
	ac       []float64 // the block without its DC offset
	survey   survey    // of the block

	dc       dcBlocker
	stats    sampleStats
	meter    levelMeter
	p56      p56Meter
	truePeak truePeakMeter
	clipping clippingMeter
	dropout  dropoutMeter
	framer   framer
	hum      *humMeter
	judge    judge
}

func newChannel(rateHz int) *channel {
	c := &channel{
		extended: make([]float64, history, history+blockFrames),
		ac:       make([]float64, blockFrames),
		dc:       newDCBlocker(rateHz),
		meter:    newLevelMeter(rateHz),
		p56:      newP56Meter(rateHz),
		truePeak: newTruePeakMeter(rateHz),
		clipping: newClippingMeter(rateHz),
		dropout:  newDropoutMeter(rateHz),
		framer:   newFramer(rateHz),
	}
	c.hum = newHumMeter(c.framer.voice.rateHz)
	return c
}

func (c *channel) write(raw []float64) {
	last := len(c.extended) - history
	copy(c.extended[:history], c.extended[last:])
	c.extended = append(c.extended[:history], raw...)

	ac := c.ac[:len(raw)]
	c.survey.take(raw)
	c.dc.filter(ac, raw)
	c.stats.write(raw, &c.survey)
	c.meter.write(raw, ac)
	c.p56.write(ac)
	c.truePeak.write(c.extended, &c.survey)
	c.clipping.write(c.extended, &c.stats, &c.survey)
	c.dropout.write(raw, &c.survey)
	for len(raw) > 0 {
		taken, complete := c.framer.write(raw, ac)
		raw, ac = raw[taken:], ac[taken:]
		if complete {
			c.hum.write(c.framer.voice.newest())
			c.judge.write(&c.framer.frame)
			c.hum.settle(c.judge.decided, c.judge.quietRun)
		}
	}
}

// dcBlocker is a first-order high pass at 5 Hz: 0.01 dB at 100 Hz, and an offset of the converter no longer
// counts as level. It starts settled on the first sample, as if the offset had always been there.
type dcBlocker struct {
	pole    float64
	x, y    float64
	started bool
}

func newDCBlocker(rateHz int) dcBlocker {
	return dcBlocker{pole: math.Exp(-2 * math.Pi * 5 / float64(rateHz))}
}

func (d *dcBlocker) filter(dst, src []float64) {
	if !d.started {
		d.x, d.started = src[0], true
	}
	x, y, pole := d.x, d.y, d.pole
	for i, s := range src {
		y = s - x + pole*y
		x = s
		dst[i] = y
	}
	if math.Abs(y) < 1e-30 { // denormals would slow every later block of silence
		y = 0
	}
	d.x, d.y = x, y
}

// sampleStats are the plain moments and extremes of the samples as captured.
type sampleStats struct {
	n               int64
	sum, sumSquares float64
	lowest, highest float64
}

// write takes a block and its survey. Only in chunks that reach beyond the nearer extreme can there be a new one.
func (s *sampleStats) write(block []float64, v *survey) {
	for n, c := range v.chunks {
		s.sum += c.sum
		s.sumSquares += c.squares
		if c.peak <= min(s.highest, -s.lowest) {
			continue
		}
		from := n * surveyChunk
		for _, x := range block[from:min(from+surveyChunk, len(block))] {
			s.highest, s.lowest = max(s.highest, x), min(s.lowest, x)
		}
	}
	s.n += int64(len(block))
}

func (s *sampleStats) mean() float64 {
	if s.n == 0 {
		return 0
	}
	return s.sum / float64(s.n)
}

// variance is the mean square without the offset.
func (s *sampleStats) variance() float64 {
	if s.n == 0 {
		return 0
	}
	mean := s.mean()
	return max(0, s.sumSquares/float64(s.n)-mean*mean)
}

func (s *sampleStats) rmsDBFS() float64 { return powerDB(s.variance()) }

func (s *sampleStats) peak() float64 { return max(s.highest, -s.lowest) }

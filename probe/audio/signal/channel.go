package signal

import "math"

// channel contains everything that is measured on a single channel.
//
// Properties of the samples (peaks, clipping, gaps, P.56) are measured at the full rate, properties of what is audible
// (loudness, spectra, speech) in the audible band: see [heardBand].
type channel struct {
	extended []float64 // the history, followed by the block being gathered
	ac       []float64 // the block with its DC offset removed
	survey   survey    // of the block

	dc       dcBlocker
	stats    sampleStats
	meter    levelMeter
	p56      p56Meter
	truePeak truePeakMeter
	clipping clippingMeter
	dropout  dropoutMeter
	silence  silenceMeter

	band    heardBand
	heard   []float64 // the audible band of the block
	heardAC []float64 // buffer for heard with its DC offset removed, where it differs from the block
	heardDC dcBlocker
	voice   voiceBand
	framer  framer
	hum     *humMeter
	judge   judge
}

func newChannel(rateHz int) *channel {
	band := newHeardBand(rateHz)
	c := &channel{
		extended: make([]float64, history+blockFrames),
		ac:       make([]float64, blockFrames),
		dc:       newDCBlocker(rateHz),
		meter:    newLevelMeter(rateHz),
		p56:      newP56Meter(rateHz),
		truePeak: newTruePeakMeter(rateHz),
		clipping: newClippingMeter(rateHz),
		dropout:  newDropoutMeter(rateHz),
		silence:  newSilenceMeter(rateHz),
		band:     band,
		heardAC:  make([]float64, blockFrames),
		heardDC:  newDCBlocker(band.rateHz),
		voice:    newVoiceBand(band.rateHz),
		framer:   newFramer(band.rateHz),
	}
	c.hum = newHumMeter(c.framer.voice.rateHz)
	return c
}

// block returns the buffer for the samples that write processes.
func (c *channel) block() []float64 { return c.extended[history:] }

// write measures the first frames of the block.
func (c *channel) write(frames int) {
	extended := c.extended[:history+frames]
	raw := extended[history:]
	ac := c.ac[:frames]
	c.survey.take(raw)
	c.dc.filter(ac, raw)
	c.stats.write(raw, &c.survey)
	c.meter.write(frames, &c.survey, c.dc.offset())
	c.p56.write(ac)
	c.truePeak.write(extended, &c.survey)
	c.clipping.write(extended, &c.stats, &c.survey)
	c.dropout.write(raw, &c.survey)
	c.silence.write(c, frames)
	c.hear(raw, ac)
	copy(extended[:history], extended[frames:])
}

// hear processes the audible band.
func (c *channel) hear(raw, ac []float64) {
	c.heard = c.band.of(raw)
	if c.band.factor > 1 {
		ac = c.heardAC[:len(c.heard)]
		c.heardDC.filter(ac, c.heard)
	}
	voice := c.voice.of(ac)
	for heard := c.heard; len(heard) > 0; {
		taken, complete := c.framer.write(heard, ac, voice)
		heard, ac, voice = heard[taken:], ac[taken:], voice[taken:]
		if complete {
			c.hum.write(c.framer.voice.newest())
			c.judge.write(&c.framer.frame)
			c.hum.settle(c.judge.decided, c.judge.quietRun)
		}
	}
}

// offsetCornerHz is the corner of a first-order high pass that removes the DC offset of the converter, which must
// not count as level. It is below the audible range: the loss at 100 Hz is 0.01 dB.
const offsetCornerHz = 5

// dcBlocker is that high pass. It starts in the steady state of the first sample.
type dcBlocker struct {
	pole    float64
	x, y    float64
	started bool
}

func newDCBlocker(rateHz int) dcBlocker {
	return dcBlocker{pole: math.Exp(-2 * math.Pi * offsetCornerHz / float64(rateHz))}
}

// filter processes four samples at a time. Each output depends on the previous one, y₁ = d₁ + p·y₀, but the fourth
// can be computed directly, y₄ = (d₄ + p·d₃ + p²·d₂ + p³·d₁) + p⁴·y₀, which shortens the dependency chain.
func (d *dcBlocker) filter(dst, src []float64) {
	if len(src) == 0 {
		return
	}
	if !d.started {
		d.x, d.started = src[0], true
	}
	x, y, pole := d.x, d.y, d.pole
	pole2, pole3, pole4 := pole*pole, pole*pole*pole, pole*pole*pole*pole
	dst = dst[:len(src)]
	for ; len(src) >= 4; src, dst = src[4:], dst[4:] {
		from, to := (*[4]float64)(src), (*[4]float64)(dst)
		d1 := from[0] - x
		d2 := from[1] - from[0] + pole*d1
		d3 := from[2] - from[1] + pole*d2
		d4 := from[3] - from[2] + pole*d3
		x = from[3]
		to[0], to[1], to[2] = d1+pole*y, d2+pole2*y, d3+pole3*y
		y = d4 + pole4*y
		to[3] = y
	}
	for i, s := range src {
		y = s - x + pole*y
		x = s
		dst[i] = y
	}
	if math.Abs(y) < 1e-30 { // avoid slow denormals during silence
		y = 0
	}
	d.x, d.y = x, y
}

// offset returns the offset that the filter currently removes.
func (d *dcBlocker) offset() float64 { return d.x - d.y }

// sampleStats contains the moments and extremes of the samples as captured.
type sampleStats struct {
	n               int64
	sum, sumSquares float64
	lowest, highest float64
}

// write processes a block and its survey. Only chunks that exceed the nearer extreme can contain a new one.
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

// variance returns the mean square with the offset removed.
func (s *sampleStats) variance() float64 {
	if s.n == 0 {
		return 0
	}
	mean := s.mean()
	return max(0, s.sumSquares/float64(s.n)-mean*mean)
}

func (s *sampleStats) rmsDBFS() float64 { return powerDB(s.variance()) }

func (s *sampleStats) peak() float64 { return max(s.highest, -s.lowest) }

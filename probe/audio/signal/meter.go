package signal

// Level is the state of a live meter.
type Level struct {
	RMSDBFS  float64 // over the last 80 ms, DC removed, of the louder channel (with more than two, the voice channel); at least -120
	PeakDBFS float64 // largest magnitude in the same 80 ms, of any channel; at least -120
	ZeroMS   float64 // length of the current run of digital zero in all channels
	Speech   bool    // speech was detected within the last 300 ms
}

const meterSteps = 8 // of 10 ms

// levelMeter keeps the power and peak of the last eight steps of 10 ms of one channel.
type levelMeter struct {
	stepSamples int
	step        meterStep
	steps       [meterSteps]meterStep
	next        int
}

// meterStep is at least 10 ms, up to one chunk longer.
type meterStep struct {
	samples      int
	energy, peak float64
}

func newLevelMeter(rateHz int) levelMeter { return levelMeter{stepSamples: rateHz / 100} }

// write processes the survey of a block. offset does not count as power: Σ(x-m)² = Σx² - 2m·Σx + n·m².
func (m *levelMeter) write(samples int, s *survey, offset float64) {
	for _, c := range s.chunks {
		n := min(samples, surveyChunk)
		samples -= n
		m.step.samples += n
		m.step.energy += max(0, c.squares-2*offset*c.sum+float64(n)*offset*offset)
		m.step.peak = max(m.step.peak, c.peak)
		if m.step.samples >= m.stepSamples {
			m.steps[m.next] = m.step
			m.next = (m.next + 1) % meterSteps
			m.step = meterStep{}
		}
	}
}

func (m *levelMeter) level() (rmsDBFS, peakDBFS float64) {
	var all meterStep
	for _, s := range m.steps {
		all.samples += s.samples
		all.energy += s.energy
		all.peak = max(all.peak, s.peak)
	}
	return powerDB(all.energy / float64(max(all.samples, meterSteps*m.stepSamples))), amplitudeDB(all.peak)
}

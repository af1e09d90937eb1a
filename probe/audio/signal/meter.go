package signal

// Level is what a live meter shows.
type Level struct {
	RMSDBFS  float64 // over the last 80 ms, DC removed, of the louder channel; floor -120
	PeakDBFS float64 // largest magnitude in the same 80 ms, of any channel; floor -120
	ZeroMS   float64 // length of the current run of exact digital zero in every channel
	Speech   bool    // speech was heard within the last 300 ms
}

const meterSteps = 8 // of 10 ms

// levelMeter keeps the power and peak of the last eight 10 ms steps of one channel.
type levelMeter struct {
	stepSamples int
	filled      int
	power, peak float64
	steps       [meterSteps]struct{ power, peak float64 }
	next        int
}

func newLevelMeter(rateHz int) levelMeter { return levelMeter{stepSamples: rateHz / 100} }

// write takes the same block twice: as captured for the peak, without DC for the power.
func (m *levelMeter) write(raw, ac []float64) {
	for len(raw) > 0 {
		n := min(len(raw), m.stepSamples-m.filled)
		m.power, m.peak = m.power+energy(ac[:n]), max(m.peak, largest(raw[:n]))
		raw, ac = raw[n:], ac[n:]
		if m.filled += n; m.filled == m.stepSamples {
			m.steps[m.next].power, m.steps[m.next].peak = m.power, m.peak
			m.next = (m.next + 1) % meterSteps
			m.filled, m.power, m.peak = 0, 0, 0
		}
	}
}

func (m *levelMeter) level() (rmsDBFS, peakDBFS float64) {
	power, peak := 0.0, 0.0
	for _, s := range m.steps {
		power += s.power
		peak = max(peak, s.peak)
	}
	return powerDB(power / float64(meterSteps*m.stepSamples)), amplitudeDB(peak)
}

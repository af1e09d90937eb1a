package signal

// leastVoiceFrames is how much speech makes a channel one with a voice: 300 ms, as a ratio to noise needs.
const leastVoiceFrames = 15

// mixMeter measures the mean of all channels. That is the single channel that WebRTC's audio processing makes of them
// with DownmixMethod::kAverageChannels. It is assumed, and was not measured, that browsers use this method.
type mixMeter struct {
	block  []float64
	ac     []float64
	dc     dcBlocker
	p56    p56Meter
	band   heardBand
	frames int
}

func newMixMeter(rateHz int) *mixMeter {
	return &mixMeter{
		block: make([]float64, blockFrames), ac: make([]float64, blockFrames),
		dc: newDCBlocker(rateHz), p56: newP56Meter(rateHz), band: newHeardBand(rateHz),
	}
}

// write takes so many frames of the channels, in which nothing is infinite or no number any more.
func (m *mixMeter) write(raw [][]float64, frames int) {
	m.frames = frames
	mix := m.block[:frames]
	copy(mix, raw[0])
	for _, samples := range raw[1:] {
		for i, x := range samples[:frames] {
			mix[i] += x
		}
	}
	share := 1 / float64(len(raw))
	for i := range mix {
		mix[i] *= share
	}
	m.dc.filter(m.ac[:frames], mix)
	m.p56.write(m.ac[:frames])
}

// heard is the heard band of the latest block.
func (m *mixMeter) heard() []float64 { return m.band.of(m.block[:m.frames]) }

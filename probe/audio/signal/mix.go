package signal

// minVoiceFrames is the amount of speech that makes a voice channel: 300 ms, as for the SNR.
const minVoiceFrames = 15

// mixMeter measures the mean of all channels, which is the mono signal of WebRTC's audio processing with
// DownmixMethod::kAverageChannels. That browsers use this method is an assumption that was not measured.
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

// write processes frames of the channels, in which all values are finite.
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

// heard returns the audible band of the latest block.
func (m *mixMeter) heard() []float64 { return m.band.of(m.block[:m.frames]) }

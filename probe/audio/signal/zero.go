package signal

// zeroMeter measures runs in which every channel is exactly zero. A working microphone is never exactly zero for long:
// even in silence, converter noise changes the last bit.
type zeroMeter struct {
	run, longest, nonZero int64 // frames
}

// write processes a block of frames and its surveys.
func (m *zeroMeter) write(raw [][]float64, channels []*channel, frames int) {
	for n := range channels[0].survey.chunks {
		from := n * surveyChunk
		to := min(from+surveyChunk, frames)
		if zerosInAll(channels, n) {
			m.writeEach(raw, from, to)
			continue
		}
		m.end()
		m.nonZero += int64(to - from)
	}
}

func zerosInAll(channels []*channel, chunk int) bool {
	for _, c := range channels {
		if !c.survey.chunks[chunk].zeros {
			return false
		}
	}
	return true
}

func (m *zeroMeter) writeEach(raw [][]float64, from, to int) {
	for i := from; i < to; i++ {
		if allZero(raw, i) {
			m.run++
			continue
		}
		m.end()
		m.nonZero++
	}
}

func allZero(raw [][]float64, frame int) bool {
	for _, samples := range raw {
		if samples[frame] != 0 {
			return false
		}
	}
	return true
}

func (m *zeroMeter) end() {
	m.longest = max(m.longest, m.run)
	m.run = 0
}

func (m *zeroMeter) longestRun() int64 { return max(m.longest, m.run) }

package signal

// zeroMeter measures runs in which every channel is exactly zero. A microphone that works is never exactly
// zero for long: even in silence the converter's noise moves the last bit.
type zeroMeter struct {
	run, longest, nonZero int64 // frames
}

// write takes the same block and its survey of the first and the last channel.
func (m *zeroMeter) write(first, last []float64, inFirst, inLast *survey) {
	for n, c := range inFirst.chunks {
		from := n * surveyChunk
		to := min(from+surveyChunk, len(first))
		if c.zeros && inLast.chunks[n].zeros {
			m.writeEach(first[from:to], last[from:to])
			continue
		}
		m.end()
		m.nonZero += int64(to - from)
	}
}

func (m *zeroMeter) writeEach(first, last []float64) {
	for i, x := range first {
		if x == 0 && last[i] == 0 {
			m.run++
			continue
		}
		m.end()
		m.nonZero++
	}
}

func (m *zeroMeter) end() {
	m.longest = max(m.longest, m.run)
	m.run = 0
}

func (m *zeroMeter) longestRun() int64 { return max(m.longest, m.run) }

package signal

// zeroMeter measures runs in which every channel is exactly zero. A microphone that works is never exactly
// zero for long: even in silence the converter's noise moves the last bit.
type zeroMeter struct {
	run, longest, nonZero int64 // frames
}

func (m *zeroMeter) write(channels [][]float64) {
	first := channels[0]
	last := channels[len(channels)-1]
	run, longest := m.run, m.longest
	for i, x := range first {
		if x == 0 && last[i] == 0 {
			run++
			continue
		}
		if run > longest {
			longest = run
		}
		run = 0
		m.nonZero++
	}
	m.run, m.longest = run, longest
}

func (m *zeroMeter) longestRun() int64 { return max(m.longest, m.run) }

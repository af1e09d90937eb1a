package signal

import "math"

// surveyChunk is how many samples are summed up at a time: few enough that most chunks of a voice hold
// neither its peak nor a zero, so that the meters that only care for those can pass them by.
const surveyChunk = 32

// survey is one look at a block before the meters get it. It costs less than what the meters save by it.
type survey struct {
	chunks []chunk
	buffer [(blockFrames + surveyChunk - 1) / surveyChunk]chunk
}

// chunk is what is known of surveyChunk samples; of fewer at the end of a block.
type chunk struct {
	peak         float64 // largest magnitude
	zeros        bool    // at least one of them is exactly zero
	sum, squares float64
}

// take looks at a block of at most blockFrames.
func (s *survey) take(block []float64) {
	s.chunks = s.buffer[:0]
	for len(block) > 0 {
		n := min(len(block), surveyChunk)
		s.chunks = append(s.chunks, survey1(block[:n]))
		block = block[n:]
	}
}

// survey1 compares magnitudes as bit patterns, which are in the same order as the numbers, and without the
// branches that floating-point comparisons need.
func survey1(samples []float64) chunk {
	const sign = 1 << 63
	largest, smallest := uint64(0), uint64(math.MaxUint64)
	sum, squares := 0.0, 0.0
	for _, x := range samples {
		bits := math.Float64bits(x) &^ sign
		largest, smallest = max(largest, bits), min(smallest, bits)
		sum += x
		squares += x * x
	}
	return chunk{peak: math.Float64frombits(largest), zeros: smallest == 0, sum: sum, squares: squares}
}

// largest is the largest magnitude.
func largest(samples []float64) float64 { return survey1(samples).peak }

// energy is the sum of the squares, in four parts so that no addition waits for the one before.
func energy(samples []float64) float64 {
	var a, b, c, d float64
	for ; len(samples) >= 4; samples = samples[4:] {
		a += samples[0] * samples[0]
		b += samples[1] * samples[1]
		c += samples[2] * samples[2]
		d += samples[3] * samples[3]
	}
	for _, x := range samples {
		a += x * x
	}
	return (a + b) + (c + d)
}

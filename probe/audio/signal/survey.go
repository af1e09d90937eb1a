package signal

import "math"

// surveyChunk is the number of samples summarised together: few enough that most chunks of a voice contain neither its
// peak nor a zero, so that meters can skip them.
const surveyChunk = 32

// survey summarises a block before the meters process it. It costs less than it saves in the meters.
type survey struct {
	chunks    []chunk
	buffer    [(blockFrames + surveyChunk - 1) / surveyChunk]chunk
	nonFinite int64 // samples so far that were replaced by 0
}

// chunk summarises surveyChunk samples, or fewer at the end of a block.
type chunk struct {
	peak         float64 // largest magnitude
	zeros        bool    // at least one of them is exactly zero
	sum, squares float64
}

// take summarises a block of at most blockFrames, and replaces NaN and infinite values in it by 0.
func (s *survey) take(block []float64) {
	s.chunks = s.buffer[:0]
	for len(block) > 0 {
		n := min(len(block), surveyChunk)
		c := survey1(block[:n])
		if !finite(c.peak) {
			s.nonFinite += silenceNonFinite(block[:n])
			c = survey1(block[:n])
		}
		s.chunks = append(s.chunks, c)
		block = block[n:]
	}
}

func silenceNonFinite(samples []float64) (silenced int64) {
	for i, x := range samples {
		if !finite(x) {
			samples[i] = 0
			silenced++
		}
	}
	return silenced
}

func finite(x float64) bool { return x-x == 0 }

// survey1 compares magnitudes as bit patterns, which have the same order as the numbers, with infinity and NaN above
// them all. This avoids the branches of floating-point comparisons. Two accumulators shorten the dependency chain.
func survey1(samples []float64) chunk {
	const sign = 1 << 63
	largest, smallest := uint64(0), uint64(math.MaxUint64)
	var sum, squares, oddSum, oddSquares float64
	for ; len(samples) >= 2; samples = samples[2:] {
		x, y := samples[0], samples[1]
		even, odd := math.Float64bits(x)&^sign, math.Float64bits(y)&^sign
		largest, smallest = max(largest, even, odd), min(smallest, even, odd)
		sum, oddSum = sum+x, oddSum+y
		squares, oddSquares = squares+x*x, oddSquares+y*y
	}
	for _, x := range samples {
		bits := math.Float64bits(x) &^ sign
		largest, smallest = max(largest, bits), min(smallest, bits)
		sum += x
		squares += x * x
	}
	return chunk{math.Float64frombits(largest), smallest == 0, sum + oddSum, squares + oddSquares}
}

// largest returns the largest magnitude.
func largest(samples []float64) float64 { return survey1(samples).peak }

// energy returns the sum of the squares. Four accumulators shorten the dependency chain.
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

package signal

import "math"

// narrowRateHz is the rate for speech detection: pitch and formants of a voice are well below 4 kHz.
const narrowRateHz = 8000

// boxDecimator averages groups of samples. Its nulls are at the frequencies whose aliases fall on the lowest
// frequencies. Aliases of sibilants do no harm to the detection.
type boxDecimator struct {
	factor, filled int
	sum            float64
}

func newBoxDecimator(rateHz int) boxDecimator {
	return boxDecimator{factor: max(1, rateHz/narrowRateHz)}
}

// write appends the averages to dst, which must have room.
func (d *boxDecimator) write(dst, block []float64) []float64 {
	if d.factor == 1 {
		return append(dst, block...)
	}
	scale := 1 / float64(d.factor)
	for len(block) > 0 {
		n := min(len(block), d.factor-d.filled)
		sum := d.sum
		for _, x := range block[:n] {
			sum += x
		}
		block = block[n:]
		if d.filled += n; d.filled < d.factor {
			d.sum = sum
			break
		}
		dst = append(dst, sum*scale)
		d.sum, d.filled = 0, 0
	}
	return dst
}

// transformLength returns the even length nearest to want whose only factors are 2, 3 and 5. Other lengths
// transform several times slower.
func transformLength(want float64) int {
	best := 2
	for length := 2; float64(length) < 2*want; length += 2 {
		rest := length
		for _, prime := range []int{2, 3, 5} {
			for rest%prime == 0 {
				rest /= prime
			}
		}
		if rest == 1 && math.Abs(float64(length)-want) < math.Abs(float64(best)-want) {
			best = length
		}
	}
	return best
}

// hann returns a Hann window scaled so that the squared magnitudes of its transform, counted twice for the mirrored
// half and divided by the length, add up to the mean square of the windowed signal.
func hann(length int) []float64 {
	window := make([]float64, length)
	squares := 0.0
	for i := range window {
		window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(length))
		squares += window[i] * window[i]
	}
	for i := range window {
		window[i] /= math.Sqrt(squares)
	}
	return window
}

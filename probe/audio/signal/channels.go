package signal

import "math"

// silentChannelDBFS is the level below which the correlation of a channel is meaningless.
const silentChannelDBFS = -90

// channelPair compares two channels to detect dead and inverted ones.
type channelPair struct {
	sumProducts float64
}

func (p *channelPair) write(left, right []float64) {
	p.sumProducts += sumProducts(left, right)
}

// sumProducts uses four accumulators to shorten the dependency chain.
func sumProducts(left, right []float64) float64 {
	var a, b, c, d float64 // variables, not an array, so that they stay in registers
	whole := min(len(left), len(right)) &^ 3
	for i := 0; i < whole; i += 4 {
		l, r := (*[4]float64)(left[i:]), (*[4]float64)(right[i:])
		a += l[0] * r[0]
		b += l[1] * r[1]
		c += l[2] * r[2]
		d += l[3] * r[3]
	}
	for i, l := range left[whole:] {
		a += l * right[whole+i]
	}
	return (a + b) + (c + d)
}

// correlation returns Pearson's r; nil if it is undefined.
func (p *channelPair) correlation(left, right *sampleStats) *float64 {
	if left.rmsDBFS() < silentChannelDBFS || right.rmsDBFS() < silentChannelDBFS {
		return nil
	}
	covariance := p.sumProducts/float64(left.n) - left.mean()*right.mean()
	r := covariance / math.Sqrt(left.variance()*right.variance())
	return new(max(-1, min(1, r)))
}

// balance returns the level of the left channel relative to the right in dB; nil if both are silent.
func (p *channelPair) balance(left, right *sampleStats) *float64 {
	l, r := left.rmsDBFS(), right.rmsDBFS()
	if l < silentChannelDBFS && r < silentChannelDBFS {
		return nil
	}
	return new(l - r)
}

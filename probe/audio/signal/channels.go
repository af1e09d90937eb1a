package signal

import "math"

// silentChannelDBFS is the level below which a channel's correlation with another says nothing.
const silentChannelDBFS = -90

// channelPair compares two channels: what one does relative to the other shows dead and inverted ones.
type channelPair struct {
	sumProducts float64
}

func (p *channelPair) write(left, right []float64) {
	sum := p.sumProducts
	for i, l := range left {
		sum += l * right[i]
	}
	p.sumProducts = sum
}

// correlation is Pearson's r; nil when it is not definable.
func (p *channelPair) correlation(left, right *sampleStats) *float64 {
	if left.rmsDBFS() < silentChannelDBFS || right.rmsDBFS() < silentChannelDBFS {
		return nil
	}
	covariance := p.sumProducts/float64(left.n) - left.mean()*right.mean()
	r := covariance / math.Sqrt(left.variance()*right.variance())
	return new(max(-1, min(1, r)))
}

// balance is how much louder the left channel is, in dB; nil when both are silent.
func (p *channelPair) balance(left, right *sampleStats) *float64 {
	l, r := left.rmsDBFS(), right.rmsDBFS()
	if l < silentChannelDBFS && r < silentChannelDBFS {
		return nil
	}
	return new(l - r)
}

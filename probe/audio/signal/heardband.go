package signal

import "math"

// Kaiser's formula for a stopband of 50 dB: everything passes up to 0.4 of the rate that remains, 17.6 kHz or more,
// and nothing folds into that.
const (
	leastHeardRateHz = 44100
	heardKaiser      = 4.55 // the window's β
	gentlePairs      = 3    // of taps, when the rate is halved again afterwards
	steepPairs       = 8    // when it is not
)

// heardBand takes a rate far above what can be heard down to one that just carries it: it is halved as long as
// 44.1 kHz remain. Loudness, spectra and speech are measured there. BS.1770 prints its filters for 48 kHz, a
// converter's noise above 20 kHz is nobody's trouble, and every filter and transform costs by the sample.
type heardBand struct {
	rateHz, factor int
	halvers        []*halver
}

func newHeardBand(rateHz int) heardBand {
	b := heardBand{rateHz: rateHz, factor: 1}
	for b.rateHz/2 >= leastHeardRateHz {
		b.rateHz /= 2
		b.factor *= 2
	}
	for left := b.factor; left > 1; left /= 2 {
		b.halvers = append(b.halvers, newHalver(left == 2))
	}
	return b
}

// of is the heard band of a block, a little late; it is overwritten by the next call.
func (b *heardBand) of(block []float64) []float64 {
	for _, h := range b.halvers {
		block = h.halve(block)
	}
	return block
}

// halver halves the rate behind a half-band low pass: a Kaiser-windowed sinc whose every second tap is 0, but
// the middle one, and whose others come in equal pairs.
type halver struct {
	pairs   [steepPairs]float64 // from the middle outwards
	steep   bool
	reach   int       // taps on either side of the middle
	samples []float64 // those that are still within reach of a later one, then the block
	halved  []float64
}

// newHalver has steeper slopes for the last halving: what an earlier one lets through above the heard band, a
// later one still takes away.
func newHalver(last bool) *halver {
	pairs := gentlePairs
	if last {
		pairs = steepPairs
	}
	h := &halver{steep: last, reach: 2*pairs - 1}
	h.samples = make([]float64, 0, 2*h.reach+1+blockFrames)
	h.halved = make([]float64, blockFrames/2+1)
	sum := 0.0
	for k := range pairs {
		t := float64(2*k + 1)
		h.pairs[k] = math.Sin(math.Pi*t/2) / (math.Pi * t) * kaiser(t/float64(2*pairs), heardKaiser)
		sum += 2 * h.pairs[k]
	}
	for k := range pairs {
		h.pairs[k] /= 2 * sum // with the middle tap of 0.5, a constant passes unchanged
	}
	return h
}

// halve takes at most blockFrames. Before the first sample, that one is taken to have been there always.
func (h *halver) halve(block []float64) []float64 {
	if len(h.samples) == 0 && len(block) > 0 {
		for range 2 * h.reach {
			h.samples = append(h.samples, block[0])
		}
	}
	h.samples = append(h.samples, block...)
	halved := h.halved[:(len(h.samples)-2*h.reach+1)/2]
	if h.steep {
		h.halveSteeply(halved)
	} else {
		h.halveGently(halved)
	}
	h.samples = h.samples[:copy(h.samples, h.samples[2*len(halved):])]
	return halved
}

func (h *halver) halveGently(halved []float64) {
	a, b, c := h.pairs[0], h.pairs[1], h.pairs[2]
	samples := h.samples
	for i := range halved {
		x := (*[4*gentlePairs - 1]float64)(samples)
		halved[i] = (0.5*x[5] + a*(x[4]+x[6])) + (b*(x[2]+x[8]) + c*(x[0]+x[10]))
		samples = samples[2:]
	}
}

func (h *halver) halveSteeply(halved []float64) {
	p := &h.pairs
	for i := range halved {
		x := (*[4*steepPairs - 1]float64)(h.samples[2*i:])
		halved[i] = 0.5*x[15] +
			(p[0]*(x[14]+x[16]) + p[1]*(x[12]+x[18]) + p[2]*(x[10]+x[20]) + p[3]*(x[8]+x[22])) +
			(p[4]*(x[6]+x[24]) + p[5]*(x[4]+x[26]) + p[6]*(x[2]+x[28]) + p[7]*(x[0]+x[30]))
	}
}

package signal

import "math"

// Kaiser's formula for a stopband of 50 dB: frequencies up to 0.4 of the remaining rate, at least 17.6 kHz, pass, and
// no alias falls into that range.
const (
	minHeardRateHz = 44100
	heardKaiser    = 4.55 // β of the window
	gentlePairs    = 3    // pairs of taps if the rate is halved again afterwards
	steepPairs     = 8    // pairs of taps for the last halving
)

// heardBand reduces a high sampling rate to one that carries the audible band: it halves the rate as long as at least
// 44.1 kHz remain. Loudness, spectra and speech are measured there. BS.1770 specifies its filters for 48 kHz,
// converter noise above 20 kHz is irrelevant, and the cost of filters and transforms grows with the number of samples.
type heardBand struct {
	rateHz, factor int
	halvers        []*halver
}

func newHeardBand(rateHz int) heardBand {
	b := heardBand{rateHz: rateHz, factor: 1}
	for b.rateHz/2 >= minHeardRateHz {
		b.rateHz /= 2
		b.factor *= 2
	}
	for left := b.factor; left > 1; left /= 2 {
		b.halvers = append(b.halvers, newHalver(left == 2))
	}
	return b
}

// of returns the audible band of a block, with a short delay. The next call overwrites it.
func (b *heardBand) of(block []float64) []float64 {
	for _, h := range b.halvers {
		block = h.halve(block)
	}
	return block
}

// halver halves the rate after a half-band low pass: a Kaiser-windowed sinc in which every second tap except the
// middle one is 0, and the others come in equal pairs.
type halver struct {
	pairs   [steepPairs]float64 // from the middle outwards
	steep   bool
	reach   int       // taps on each side of the middle
	samples []float64 // samples still needed by later outputs, followed by the block
	halved  []float64
}

// newHalver uses a steeper filter for the last halving. What an earlier stage passes above the audible band is removed
// by a later one.
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

// halve processes at most blockFrames. The first sample is assumed to have been constant before the stream.
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

package signal

import "math"

// Constants of ITU-R BS.1770-5 Annex 1 and EBU Tech 3341.
const (
	loudnessOffsetDB    = -0.691
	absoluteGateLUFS    = -70
	relativeGateLU      = -10
	stepsPerSecond      = 100 // a new momentary value every 10 ms
	momentarySteps      = 40
	shortTermSteps      = 300
	gatingHopSteps      = 10 // 400 ms blocks overlapping by 75 %
	gateBinsPerLU       = 10
	gateBins            = 100 * gateBinsPerLU // -70 to +30 LUFS
	kShelfHz, kShelfQ   = 1681.974450955533, 0.7071752369554196
	kShelfGainDB        = 3.999843853973347
	kHighPassHz, kHighQ = 38.13547087602444, 0.5003270373238773
)

// loudnessMeter measures the loudness of two channels together. A mono signal is counted as
// dual mono.
type loudnessMeter struct {
	rateHz      int64
	filter      kWeighting
	left, right kState

	step    int64 // complete steps of 10 ms
	frames  int64
	energy  float64 // of the current step
	ring    [shortTermSteps]float64
	highest struct{ momentary, shortTerm float64 } // mean squares

	// Blocks above the absolute gate, by loudness. Each bin keeps its exact energy, so that rounding only affects the
	// one bin at the relative gate.
	gated [gateBins]struct {
		blocks int64
		energy float64
	}
}

func newLoudnessMeter(rateHz int) *loudnessMeter {
	return &loudnessMeter{rateHz: int64(rateHz), filter: newKWeighting(rateHz)}
}

// stepEnd returns the first frame after step n. A step of 10 ms need not be a whole number of frames.
func (m *loudnessMeter) stepEnd(n int64) int64 {
	return ((n+1)*m.rateHz + stepsPerSecond/2) / stepsPerSecond
}

func (m *loudnessMeter) write(left, right []float64) {
	for len(left) > 0 {
		take := int(min(int64(len(left)), m.stepEnd(m.step)-m.frames))
		m.energy += m.filter.energy(left[:take], right[:take], &m.left, &m.right)
		left, right = left[take:], right[take:]
		m.frames += int64(take)
		if m.frames == m.stepEnd(m.step) {
			m.endStep()
		}
	}
}

func (m *loudnessMeter) endStep() {
	m.ring[m.step%shortTermSteps] = m.energy
	m.step++
	m.energy = 0
	if m.step >= momentarySteps {
		momentary := m.meanOfLast(momentarySteps)
		m.highest.momentary = max(m.highest.momentary, momentary)
		if m.step%gatingHopSteps == 0 {
			m.gate(momentary)
		}
	}
	if m.step >= shortTermSteps {
		m.highest.shortTerm = max(m.highest.shortTerm, m.meanOfLast(shortTermSteps))
	}
}

func (m *loudnessMeter) meanOfLast(steps int64) float64 {
	sum := 0.0
	for n := m.step - steps; n < m.step; n++ {
		sum += m.ring[n%shortTermSteps]
	}
	return sum / float64(m.stepEnd(m.step-1)-m.stepEnd(m.step-1-steps))
}

func (m *loudnessMeter) gate(meanSquare float64) {
	loudness := lufs(meanSquare)
	if loudness <= absoluteGateLUFS {
		return
	}
	bin := min(int((loudness-absoluteGateLUFS)*gateBinsPerLU), gateBins-1)
	m.gated[bin].blocks++
	m.gated[bin].energy += meanSquare
}

func (m *loudnessMeter) integrated() *float64 {
	mean, ok := m.gatedMean(0)
	if !ok {
		return nil
	}
	threshold := lufs(mean) + relativeGateLU
	from := max(0, min(gateBins-1, int((threshold-absoluteGateLUFS)*gateBinsPerLU)))
	if bin := m.gated[from]; from < gateBins-1 && bin.blocks > 0 && lufs(bin.energy/float64(bin.blocks)) <= threshold {
		from++
	}
	mean, _ = m.gatedMean(from)
	return new(lufs(mean))
}

func (m *loudnessMeter) gatedMean(fromBin int) (meanSquare float64, ok bool) {
	var blocks int64
	var energy float64
	for _, bin := range m.gated[fromBin:] {
		blocks += bin.blocks
		energy += bin.energy
	}
	return energy / float64(max(blocks, 1)), blocks > 0
}

func (m *loudnessMeter) maxima() (momentary, shortTerm *float64) {
	if m.step >= momentarySteps {
		momentary = new(lufs(m.highest.momentary))
	}
	if m.step >= shortTermSteps {
		shortTerm = new(lufs(m.highest.shortTerm))
	}
	return momentary, shortTerm
}

func lufs(meanSquare float64) float64 { return max(FloorDBFS, loudnessOffsetDB+powerDB(meanSquare)) }

// kWeighting is the high shelf of the head model followed by the RLB high pass.
type kWeighting struct {
	shelf, highPass biquad
}

// kState is the state of the two filters for one channel, in transposed direct form II.
type kState struct{ s1, s2, h1, h2 float64 }

// newKWeighting derives both filters from their analog prototypes by the bilinear transform, because BS.1770
// specifies coefficients for 48 kHz only. At 48 kHz the result equals the published coefficients.
func newKWeighting(rateHz int) kWeighting {
	gain := math.Pow(10, kShelfGainDB/20)
	bandGain := math.Pow(gain, 0.4996667741545416)
	k := math.Tan(math.Pi * kShelfHz / float64(rateHz))
	a0 := 1 + k/kShelfQ + k*k
	shelf := biquad{
		b0: (gain + bandGain*k/kShelfQ + k*k) / a0,
		b1: 2 * (k*k - gain) / a0,
		b2: (gain - bandGain*k/kShelfQ + k*k) / a0,
		a1: 2 * (k*k - 1) / a0,
		a2: (1 - k/kShelfQ + k*k) / a0,
	}
	k = math.Tan(math.Pi * kHighPassHz / float64(rateHz))
	a0 = 1 + k/kHighQ + k*k
	highPass := biquad{b0: 1, b1: -2, b2: 1, a1: 2 * (k*k - 1) / a0, a2: (1 - k/kHighQ + k*k) / a0}
	return kWeighting{shelf, highPass}
}

// energy filters a block of two channels and returns the sum of all squares. Processing both channels in one loop
// hides the latency of the recursive filters.
func (w *kWeighting) energy(left, right []float64, l, r *kState) float64 {
	b0, b1, b2, a1, a2 := w.shelf.b0, w.shelf.b1, w.shelf.b2, w.shelf.a1, w.shelf.a2
	c1, c2 := w.highPass.a1, w.highPass.a2
	a, b := *l, *r
	sum := 0.0
	right = right[:len(left)]
	for i, x := range left {
		y := b0*x + a.s1
		z := y + a.h1
		a = kState{(b1*x + a.s2) - a1*y, b2*x - a2*y, (a.h2 - 2*y) - c1*z, y - c2*z}
		sum += z * z

		x = right[i]
		y = b0*x + b.s1
		z = y + b.h1
		b = kState{(b1*x + b.s2) - a1*y, b2*x - a2*y, (b.h2 - 2*y) - c1*z, y - c2*z}
		sum += z * z
	}
	a.settle()
	b.settle()
	*l, *r = a, b
	return sum
}

// settle sets decaying states to zero before they become denormals, which are slow.
func (s *kState) settle() {
	if math.Abs(s.s1)+math.Abs(s.s2)+math.Abs(s.h1)+math.Abs(s.h2) < 1e-30 {
		*s = kState{}
	}
}

// biquad is a second-order section with a0 = 1, in transposed direct form II.
type biquad struct {
	b0, b1, b2, a1, a2 float64
	z1, z2             float64
}

// settle sets decaying states to zero before they become denormals, which are slow.
func (b *biquad) settle() {
	if math.Abs(b.z1)+math.Abs(b.z2) < 1e-30 {
		b.z1, b.z2 = 0, 0
	}
}

func (b *biquad) next(x float64) float64 {
	y := b.b0*x + b.z1
	b.z1 = b.b1*x - b.a1*y + b.z2
	b.z2 = b.b2*x - b.a2*y
	return y
}

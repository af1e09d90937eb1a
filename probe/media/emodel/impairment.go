package emodel

import "math"

// The equipment impairment when every packet is lost.
const (
	narrowIeTop = 95.0  // G.107 §7.3; the same in G.107.1
	fullIeTop   = 132.0 // G.107.2
)

// effectiveIe is Ie,eff: the codec's impairment under ppl percent of loss.
func effectiveIe(c Codec, ppl, burstR, top float64) float64 {
	if ppl == 0 {
		return c.Ie
	}
	return c.Ie + (top-c.Ie)*ppl/(ppl/burstR+c.Bpl)
}

// delayImpairment is Idd of G.107 §7.2: the impairment by delay in a conversation without echo.
// It is zero below mT ms.
func delayImpairment(taMS, sT, mT float64) float64 {
	if taMS <= mT {
		return 0
	}
	x := math.Log10(taMS/mT) / math.Log10(2)
	root := func(v float64) float64 { return math.Pow(1+math.Pow(v, 6*sT), 1/(6*sT)) }
	return 25 * (root(x) - 3*root(x/3) + 2)
}

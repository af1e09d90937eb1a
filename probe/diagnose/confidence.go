package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Confidence of a rule if the system or a server reports the fact.
const (
	stated       = 0.97 // read from the system, with no evidence against it
	likely       = 0.85 // one sign with few other explanations
	suggested    = 0.6  // one sign with other explanations
	contradicted = 0.5  // another measurement contradicts it
)

// byMargin returns the confidence in a measured value that exceeds its limit by
// distance, in units of scale: 0.6 at the limit, where measurement noise decides, 0.93
// at one scale beyond it, and never 1.
func byMargin(distance, scale float64) float64 {
	if !(distance > 0) || !(scale > 0) {
		return 0.6
	}
	return 0.6 + 0.38*(1-math.Exp(-2*distance/scale))
}

// Scales of byMargin.
const (
	levelScaleDB = 6 // a clearly audible change of level
	octave       = 1 // for values whose ratio to the limit matters
)

// byRatio is byMargin for values whose ratio to the limit matters: twice the limit is
// one scale beyond it.
func byRatio(v, limit float64) float64 {
	if limit <= 0 || v <= limit {
		return byMargin(v-limit, 1)
	}
	return byMargin(math.Log2(v/limit), octave)
}

// byInterval returns the probability that the true share exceeds the limit, from the
// measured share and the lower end of its 95 % Wilson interval (1.96 standard errors
// below). At the limit it is one half.
func byInterval(share, lower, limit float64) float64 {
	if !(share > lower) {
		return contradicted
	}
	z := 1.96 * (share - limit) / (share - lower)
	return min(0.99, 0.5*math.Erfc(-z/math.Sqrt2))
}

// Wilson95 returns the 95 % score interval of Wilson (1927) for hits in n, in percent. For n = 0
// it is 0 to 100.
func Wilson95(hits, n float64) report.Interval {
	if n <= 0 {
		return report.Interval{0, 100}
	}
	const z = 1.959964
	p := min(1, hits/n)
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 100 / (1 + z*z/n)
	return report.Interval{max(0, (middle-half)*scale), min(100, (middle+half)*scale)}
}

package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// How sure a rule is when the system or a server states the fact itself.
const (
	stated       = 0.97 // read from the system, nothing speaks against it
	likely       = 0.85 // one sign that has few other reasons
	suggested    = 0.6  // one sign that has other reasons
	contradicted = 0.5  // another measurement speaks against it
)

// byMargin is the confidence of a measured value that passed its limit by
// distance, in the unit of scale. It is 0.6 at the limit itself, where noise
// of the measurement decides, 0.93 one scale beyond, and never certain.
func byMargin(distance, scale float64) float64 {
	if !(distance > 0) || !(scale > 0) {
		return 0.6
	}
	return 0.6 + 0.38*(1-math.Exp(-2*distance/scale))
}

// Scales of byMargin.
const (
	levelScaleDB = 6 // a change of level that everybody hears
	octave       = 1 // for values of which the ratio to the limit counts
)

// byRatio is byMargin for values whose ratio to the limit counts: double the
// limit is one scale beyond.
func byRatio(v, limit float64) float64 {
	if limit <= 0 || v <= limit {
		return byMargin(v-limit, 1)
	}
	return byMargin(math.Log2(v/limit), octave)
}

// byInterval is the probability that the true share passes the limit, from the
// measured share and the lower end of its 95 % Wilson interval (1.96 standard
// errors below). At the limit itself it is one half.
func byInterval(share, lower, limit float64) float64 {
	if !(share > lower) {
		return contradicted
	}
	z := 1.96 * (share - limit) / (share - lower)
	return min(0.99, 0.5*math.Erfc(-z/math.Sqrt2))
}

// wilson is the 95 % Wilson score interval of hits in n, in percent.
func wilson(hits, n float64) report.Interval {
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

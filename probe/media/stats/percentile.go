package stats

import (
	"math"
	"slices"
)

const nsPerMS = 1e6

// Percentile returns the p-th percentile (0 to 100) of values by linear interpolation between the
// closest ranks, h = (n-1)·p/100: type 7 of Hyndman and Fan (1996), the default of R and NumPy. The
// median of an even number of values is the mean of the middle two. The result is NaN without values
// or for a p out of range. values need not be sorted and is not modified.
func Percentile(values []float64, p float64) float64 {
	return percentileSorted(slices.Sorted(slices.Values(values)), p)
}

func percentileSorted(sorted []float64, p float64) float64 {
	if len(sorted) == 0 || !(p >= 0 && p <= 100) {
		return math.NaN()
	}
	h := float64(len(sorted)-1) * p / 100
	below := int(h)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (h-float64(below))*(sorted[below+1]-sorted[below])
}

// Quantiles describe the distribution of values, in their unit.
type Quantiles struct {
	N                           int
	Min, P5, P50, P95, P99, Max float64
}

// Spread returns the quantiles of values, or nil if there are none.
func Spread(values []float64) *Quantiles {
	if len(values) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(values))
	return &Quantiles{
		N:   len(s),
		Min: s[0],
		P5:  percentileSorted(s, 5),
		P50: percentileSorted(s, 50),
		P95: percentileSorted(s, 95),
		P99: percentileSorted(s, 99),
		Max: s[len(s)-1],
	}
}

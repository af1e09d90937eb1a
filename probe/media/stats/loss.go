package stats

import "math"

// Loss is the share of sent numbers that never arrived. It counts distinct numbers, so that a duplicate
// can neither hide a loss nor make one negative.
type Loss struct {
	Sent, Received, Lost int // distinct numbers
	Pct                  float64
	CI95                 Interval // of Pct
}

// Interval is a range in percent.
type Interval struct{ LowPct, HighPct float64 }

// Contains reports whether pct is in the interval, ends included.
func (i Interval) Contains(pct float64) bool { return pct >= i.LowPct && pct <= i.HighPct }

// LossOf returns the loss of a stream, or nil if nothing was sent.
func LossOf(a Arrivals) *Loss {
	if a.sent == 0 {
		return nil
	}
	lost := a.sent - len(a.First)
	return &Loss{
		Sent:     a.sent,
		Received: len(a.First),
		Lost:     lost,
		Pct:      100 * float64(lost) / float64(a.sent),
		CI95:     Wilson95(lost, a.sent),
	}
}

// Wilson95 returns the 95 % score interval of Wilson (1927) for hits out of n, in percent. Unlike the
// textbook interval it remains within 0 to 100, and it has a width for 0 of n: no loss in 300 packets is
// compatible with up to 1.3 %. For n = 0 it is 0 to 100.
func Wilson95(hits, n int) Interval {
	if n <= 0 {
		return Interval{0, 100}
	}
	const z = 1.959963984540054
	size := float64(n)
	p := min(max(float64(hits)/size, 0), 1)
	centre := p + z*z/(2*size)
	half := z * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	scale := 100 / (1 + z*z/size)
	i := Interval{max(0, scale*(centre-half)), min(100, scale*(centre+half))}
	// At the ends the bound is exact; rounding must not move it past the value.
	if p == 0 {
		i.LowPct = 0
	}
	if p == 1 {
		i.HighPct = 100
	}
	return i
}

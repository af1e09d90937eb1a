package stats

// LongestGapMS returns the longest time in ms without a new packet: between two arrivals, or the number
// of missing packets at the start or the end of the stream times intervalNS. A steady stream has a gap of
// one interval. The result is nil if nothing was sent.
//
// The ends count because the most common long gap, a line that fails during the stream, has no arrival
// after it.
func LongestGapMS(a Arrivals, intervalNS int64) *float64 {
	if a.sent == 0 {
		return nil
	}
	interval := float64(intervalNS) / nsPerMS
	if len(a.First) == 0 {
		return new(float64(a.sent) * interval)
	}
	lowest, highest := a.sent, 0
	for _, p := range a.First {
		lowest = min(lowest, a.offset(p))
		highest = max(highest, a.offset(p))
	}
	longest := float64(max(lowest, a.sent-1-highest)) * interval
	for i := 1; i < len(a.First); i++ {
		longest = max(longest, float64(a.First[i].ArrivedNS-a.First[i-1].ArrivedNS)/nsPerMS)
	}
	return &longest
}

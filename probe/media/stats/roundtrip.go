package stats

// Echo is one packet that was returned by the reflector.
type Echo struct {
	UpSeq        uint32
	SentNS       int64 // on our clock
	ReturnedNS   int64 // on our clock
	TurnaroundNS int64 // time spent at the reflector, on its own clock
}

// RoundTrips are the round trips of a stream in ms, less the turnaround.
type RoundTrips struct {
	Quantiles
	Invalid int // echoes that returned earlier than possible; ignored
}

// RoundTripsOf uses the first echo of each upstream number, in order of return: the echo of a duplicate
// measures the duplication. It returns nil if no echo is valid.
func RoundTripsOf(echoes []Echo) *RoundTrips {
	seen := make(map[uint32]struct{}, len(echoes))
	rtts := make([]float64, 0, len(echoes))
	invalid := 0
	for _, e := range echoes {
		if _, again := seen[e.UpSeq]; again {
			continue
		}
		seen[e.UpSeq] = struct{}{}
		rtt := e.ReturnedNS - e.SentNS - e.TurnaroundNS
		if rtt < 0 || e.TurnaroundNS < 0 {
			invalid++
			continue
		}
		rtts = append(rtts, float64(rtt)/nsPerMS)
	}
	spread := Spread(rtts)
	if spread == nil {
		return nil
	}
	return &RoundTrips{Quantiles: *spread, Invalid: invalid}
}

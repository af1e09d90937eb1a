package netbench

import "testing"

// TestFiguresOfATruth uses the vector for the jitter of RFC 3550, the delays of RFC 5481, and a
// sequence of RFC 4737.
func TestFiguresOfATruth(t *testing.T) {
	passage := func(seq uint16, inMS, delayMS float64) Passage {
		in := int64(inMS * 1e6)
		return Passage{RTP: true, Seq: seq, InNS: in, OutNS: []int64{in + int64(delayMS*1e6)}}
	}
	var stream Truth
	for i, delay := range []float64{20, 10, 20, 25, 20} {
		stream = append(stream, passage(uint16(65534+i), float64(i)*20, delay)) // across the wrap
	}
	stream = append(stream, Passage{RTP: true, Seq: 3, InNS: 100e6}) // lost
	stream[1].OutNS = append(stream[1].OutNS, 40e6)
	f := stream.Figures()
	j := 0.0
	for _, d := range []float64{10, 10, 5, 5} {
		j += (d - j) / 16
	}
	near(t, "jitter", f.JitterMS, j, 1e-9)
	near(t, "mean |D|", f.MeanAbsDMS, 7.5, 1e-9)
	near(t, "loss", f.LossPct, 100.0/6, 1e-9)
	near(t, "delay", f.DelayP50MS, 20, 1e-9)
	if f.Sent != 6 || f.Received != 5 || f.Duplicates != 1 || f.Reordered != 0 {
		t.Errorf("got %+v; want Sent 6, Received 5, Duplicates 1, Reordered 0", f)
	}

	var order Truth
	for i, seq := range []uint16{0, 1, 5, 2, 3, 4, 6} {
		order = append(order, passage(seq, float64(i), 1))
	}
	if got := order.Figures().Reordered; got != 3 {
		t.Errorf("got %d reordered packets, want 3 (RFC 4737)", got)
	}
}

func TestRoundTripBelongsTogether(t *testing.T) {
	up := Truth{
		{Seq: 0, InNS: 0, OutNS: []int64{50e6}},    // overtaken: answered second
		{Seq: 1, InNS: 20e6, OutNS: []int64{30e6}}, // answered first
		{Seq: 2, InNS: 40e6},
	}
	down := Truth{
		{InNS: 31e6, OutNS: []int64{36e6}}, // 10 + 5
		{InNS: 51e6, OutNS: []int64{58e6}}, // 50 + 7
	}
	near(t, "RTT", RoundTripP50MS(up, down, 3), (15.0+57)/2, 1e-9)
	near(t, "RTT of the first packet", RoundTripP50MS(up, down, 1), 57, 1e-9)
}

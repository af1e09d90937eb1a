package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Each test here covers a fault found in a widely used program.

// TestFaultPionStatsSecondDifference: pion/interceptor pkg/stats computes |D(i)-D(i-1)|
// in place of |D(i)| and reads 1.7 to 1.9 times too high.
func TestFaultPionStatsSecondDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	packets := skewed(3000, 0, func(int) float64 { return 30 + 5*rng.Float64() })
	var meanAbsD, second, before float64
	for i := 1; i < len(packets); i++ {
		d := float64(packets[i].delayNS()-packets[i-1].delayNS()) / nsPerMS
		meanAbsD += math.Abs(d) / 2999
		second += math.Abs(d-before) / 2999
		before = d
	}
	if second/meanAbsD < 1.5 {
		t.Fatalf("the second difference is only %v times higher, so the vector tests nothing", second/meanAbsD)
	}
	j := JitterOf(packets)
	near(t, "mean of J", j.MeanMS, meanAbsD, 0.02*meanAbsD)
	// |D| of two uniform delays over 5 ms is 5/3 ms on average.
	near(t, "mean |D|", j.MeanAbsDMS, 5.0/3, 0.05)
}

// TestFaultPionReportFloatWrap: pion/interceptor pkg/report subtracts RTP timestamps as
// floats, and its jitter jumps by hours when they wrap around.
func TestFaultPionReportFloatWrap(t *testing.T) {
	wrapping := make([]RTPArrival, 100)
	plain := make([]RTPArrival, 100)
	start := uint32(math.MaxUint32 - 50*960)
	for i := range wrapping {
		arrived := int64(i)*20e6 + int64(i%2)*3e6
		wrapping[i] = RTPArrival{arrived, start + uint32(i)*960}
		plain[i] = RTPArrival{arrived, uint32(i) * 960}
	}
	got, want := *JitterRTP(wrapping, 48000), *JitterRTP(plain, 48000)
	if got != want || got.MaxMS > 3 {
		t.Errorf("got %+v across the wrap, want %+v", got, want)
	}
}

func TestFaultSequenceNumberWrap(t *testing.T) {
	packets := stream(0, 1, 2, 3, 4, 5)
	for i := range packets {
		packets[i].Seq += math.MaxUint32 - 2
	}
	s := Summarise(Direction{FirstSeq: math.MaxUint32 - 2, Sent: 6, IntervalNS: 20e6, Packets: packets})
	if s.Loss.Lost != 0 || s.Reordering.Reordered != 0 || s.Foreign != 0 || s.IPDVMS.N != 5 {
		t.Errorf("got %+v, want no lost, reordered or foreign packets", s)
	}
}

// TestFaultMtrTrippyJitterNotDividedBy16: mtr and trippy display a jitter that was
// never divided by 16.
func TestFaultMtrTrippyJitterNotDividedBy16(t *testing.T) {
	j := JitterOf(delayed(20, 36))
	near(t, "one step of 16 ms", j.FinalMS, 1, 1e-12)
}

// TestFaultCoturnWholeMilliseconds: coturn's uclient measures in whole milliseconds.
func TestFaultCoturnWholeMilliseconds(t *testing.T) {
	delays := make([]float64, 500)
	for i := range delays {
		delays[i] = 10 + 0.3*float64(i%2)
	}
	near(t, "jitter", JitterOf(delayed(delays...)).FinalMS, 0.3, 1e-6)
	rtt := RoundTripsOf([]Echo{{ReturnedNS: 400_000}})
	near(t, "RTT", rtt.P50, 0.4, 1e-12)
}

// TestFaultIperf3DuplicateWipesOutLoss: in iperf3 a duplicate cancels a loss, and many
// duplicates make the loss negative.
func TestFaultIperf3DuplicateWipesOutLoss(t *testing.T) {
	s := Summarise(Direction{Sent: 5, IntervalNS: 20e6, Packets: stream(0, 1, 1, 3, 3, 3, 4, 4)})
	if s.Loss.Lost != 1 || s.Duplicates != 4 {
		t.Errorf("got %d lost, %d duplicates; want 1 and 4", s.Loss.Lost, s.Duplicates)
	}
	near(t, "loss", s.Loss.Pct, 20, 1e-12)
}

func TestFaultIperf3NegativeLoss(t *testing.T) {
	s := Summarise(Direction{Sent: 2, IntervalNS: 20e6, Packets: stream(0, 1, 2, 3, 4)})
	if s.Loss.Lost != 0 || s.Loss.Pct != 0 || s.Foreign != 3 {
		t.Errorf("got %+v, %d foreign; want Lost 0, Pct 0, 3", s.Loss, s.Foreign)
	}
}

// TestFaultIrttUnsignedUnderflow: irtt's unsigned counters underflow on a duplicate.
func TestFaultIrttUnsignedUnderflow(t *testing.T) {
	packets := slices.Repeat(stream(0), 1000)
	s := Summarise(Direction{Sent: 1, IntervalNS: 20e6, Packets: packets})
	if s.Loss.Lost != 0 || s.Loss.Received != 1 || s.Duplicates != 999 || s.Late[0].TotalPct != 0 {
		t.Errorf("got %+v, %d duplicates, late %+v, want 1 received, 999 duplicates and nothing late", s.Loss, s.Duplicates, s.Late[0])
	}
}

// TestFaultJitsiNumbersSortedAsStrings: Jitsi's pre-call test sorts numbers as strings,
// where 100 comes before 9.
func TestFaultJitsiNumbersSortedAsStrings(t *testing.T) {
	near(t, "median", Percentile([]float64{9, 100, 10, 8, 1000}, 50), 10, 0)
}

// TestFaultJitsiLossFromOwnFlood: Jitsi's pre-call test derives loss from a flood that
// its own sender cannot sustain. Packets that were never sent are no loss, and the
// self-check shows the reason.
func TestFaultJitsiLossFromOwnFlood(t *testing.T) {
	sends := make([]Send, 50)
	for i := range sends {
		sends[i] = Send{PlannedNS: int64(i) * 20e6, SentNS: int64(i) * 40e6}
	}
	packets := make([]Packet, len(sends))
	for i, s := range sends {
		packets[i] = Packet{Seq: uint32(i), SentNS: s.SentNS, ArrivedNS: s.SentNS + 10e6}
	}
	if s := Summarise(Direction{Sent: len(sends), IntervalNS: 20e6, Packets: packets}); s.Loss.Pct != 0 || s.Jitter.FinalMS != 0 {
		t.Errorf("the lateness of this computer counts as delay of the network: %+v %+v", s.Loss, s.Jitter)
	}
	if v := CheckSchedule(sends, 50, DefaultScheduleLimits()).Verdict; v != VerdictVoid {
		t.Errorf("got verdict %s, want void", v)
	}
}

// TestFaultBigBlueButtonSecondsForMilliseconds: BigBlueButton compares jitter in
// seconds with limits in milliseconds, which it never exceeds. Every figure here ends
// in MS and is in milliseconds.
func TestFaultBigBlueButtonSecondsForMilliseconds(t *testing.T) {
	delays := make([]float64, 500)
	for i := range delays {
		delays[i] = 10 + 50*float64(i%2)
	}
	s := Summarise(Direction{Sent: 500, IntervalNS: 20e6, Packets: delayed(delays...)})
	near(t, "jitter", s.Jitter.MeanAbsDMS, 50, 1e-9)
	near(t, "PDV p95", s.PDVMS.P95, 50, 1e-9)
	near(t, "IPDV max", s.IPDVMS.Max, 50, 1e-9)
	near(t, "IPDV min", s.IPDVMS.Min, -50, 1e-9)
	near(t, "longest gap", *s.LongestGapMS, 70, 1e-9)
}

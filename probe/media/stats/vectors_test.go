package stats

import (
	"math"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// stream builds packets from numbers in order of arrival, sent and received
// every 20 ms.
func stream(seqs ...uint32) []Packet {
	packets := make([]Packet, len(seqs))
	for i, s := range seqs {
		packets[i] = Packet{Seq: s, SentNS: int64(s) * 20e6, ArrivedNS: 5e9 + int64(i)*20e6}
	}
	return packets
}

// delayed builds packets with the given one-way delays in ms.
func delayed(delaysMS ...float64) []Packet {
	packets := make([]Packet, len(delaysMS))
	for i, d := range delaysMS {
		sent := int64(i) * 20e6
		packets[i] = Packet{Seq: uint32(i), SentNS: sent, ArrivedNS: sent + int64(d*1e6)}
	}
	return packets
}

func TestJitterOfRTPStampsAt8kHz(t *testing.T) {
	packets := []RTPArrival{{348_411_000, 1240}, {418_358_000, 1400}, {421_891_000, 1560}}
	near(t, "J after two packets", JitterRTP(packets[:2], 8000).FinalMS, 3.1216875, 1e-9)
	near(t, "J after three packets", JitterRTP(packets, 8000).FinalMS, 3.95576953125, 1e-9)
}

func TestJitterOfOneLatePacket(t *testing.T) {
	packets := []Packet{{0, 0, 0}, {1, 1e9, 1e9}, {2, 2e9, 2.1e9}, {3, 3e9, 3.1e9}}
	j := JitterOf(packets)
	near(t, "final", j.FinalMS, 5.859375, 1e-9)
	near(t, "max", j.MaxMS, 6.25, 1e-9)
	near(t, "mean of J", j.MeanMS, (6.25+5.859375)/3, 1e-9)
	near(t, "mean |D|", j.MeanAbsDMS, 100.0/3, 1e-9)
}

func TestPDVAndIPDVOfRFC5481(t *testing.T) {
	packets := delayed(20, 10, 20, 25, 20)
	if got := PDV(packets, 0); !slices.Equal(got, []float64{10, 0, 10, 15, 10}) {
		t.Errorf("got PDV %v, want %v", got, []float64{10, 0, 10, 15, 10})
	}
	if got := IPDV(Sort(packets, 0, 5)); !slices.Equal(got, []float64{-10, 10, 5, -5}) {
		t.Errorf("got IPDV %v, want %v", got, []float64{-10, 10, 5, -5})
	}
}

func TestIPDVSkipsOverALoss(t *testing.T) {
	packets := slices.Delete(delayed(20, 10, 99, 25, 20), 2, 3)
	if got := IPDV(Sort(packets, 0, 5)); !slices.Equal(got, []float64{-10, -5}) {
		t.Errorf("got IPDV %v, want no value between packets 1 and 3", got)
	}
}

func TestReorderingOfRFC4737(t *testing.T) {
	r := ReorderingOf(Sort(stream(0, 1, 5, 2, 3, 4, 6), 0, 7))
	if r.Reordered != 3 || r.MaxExtent != 3 {
		t.Errorf("got %d reordered, extent %d; want 3 and 3", r.Reordered, r.MaxExtent)
	}
	near(t, "share", r.Pct, 100*3.0/7, 1e-12)
}

func TestReorderingIsNotLossNorDuplicate(t *testing.T) {
	if r := ReorderingOf(Sort(stream(0, 3, 3, 5), 0, 6)); r.Reordered != 0 {
		t.Errorf("got %d reordered, want 0", r.Reordered)
	}
	if r := ReorderingOf(Sort(stream(0, 2, 1, 1), 0, 3)); r.Reordered != 1 {
		t.Errorf("got %d reordered, want 1: the duplicate does not count", r.Reordered)
	}
}

// fates parses 1 as received, 0 as lost, X as discarded.
func fates(s string) []Fate {
	f := make([]Fate, len(s))
	for i, c := range s {
		f[i] = map[rune]Fate{'1': Received, '0': Lost, 'X': Discarded}[c]
	}
	return f
}

const rfc3611 = "11110111111111111111111X111X1011110111111111111111111X1111111111"

func TestBurstsAndGapsOfRFC3611(t *testing.T) {
	b := BurstsOf(fates(rfc3611), Gmin)
	const packetMS = 10
	if b.Bursts != 1 || b.BurstPackets*packetMS != 120 || b.GapPackets*packetMS != 520 || b.Gaps != 2 {
		t.Errorf("got %+v, want a burst of 120 ms and two gaps of 520 ms together", b)
	}
	near(t, "burst density", b.BurstDensity(), 1.0/3, 1e-12)
	near(t, "gap density", b.GapDensity(), 0.0385, 0.00005)
	near(t, "mean gap", b.MeanGapPackets(), 26, 1e-12)
}

func TestBurstEdges(t *testing.T) {
	run := func(n int) string { return string(slices.Repeat([]byte("1"), n)) }
	for name, c := range map[string]struct {
		fates string
		want  Bursts
	}{
		"nothing":              {"", Bursts{}},
		"all received":         {run(40), Bursts{Gaps: 1, GapPackets: 40}},
		"one loss":             {"0", Bursts{Gaps: 1, GapPackets: 1, GapLost: 1}},
		"all lost":             {"000", Bursts{Bursts: 1, BurstPackets: 3, BurstLost: 3}},
		"15 received join":     {"0" + run(15) + "0", Bursts{Bursts: 1, BurstPackets: 17, BurstLost: 2}},
		"16 received separate": {"0" + run(16) + "0", Bursts{Gaps: 1, GapPackets: 18, GapLost: 2}},
		"two bursts":           {"00" + run(16) + "00", Bursts{Bursts: 2, BurstPackets: 4, BurstLost: 4, Gaps: 1, GapPackets: 16}},
	} {
		if got := BurstsOf(fates(c.fates), Gmin); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestBurstR(t *testing.T) {
	// 4 of 8 lost in one run: random loss of 50 % has a mean run of 2.
	near(t, "one run", *BurstR(fates("11000011")), 2, 1e-12)
	near(t, "spread out", *BurstR(fates("10101010")), 0.5, 1e-12)
	if BurstR(fates("1111")) != nil || BurstR(fates("0000")) != nil || BurstR(nil) != nil {
		t.Error("got a burst ratio without loss, or without received packets")
	}
}

func TestWilsonInterval(t *testing.T) {
	for _, c := range []struct {
		hits, n   int
		low, high float64
	}{
		// Newcombe (1998), Statistics in Medicine 17, table I, method 3.
		{81, 263, 25.53, 36.62}, {15, 148, 6.24, 16.05}, {0, 20, 0, 16.11}, {1, 29, 0.61, 17.18},
		{0, 300, 0, 1.264}, {29, 29, 88.30, 100},
	} {
		i := Wilson95(c.hits, c.n)
		near(t, "low", i.LowPct, c.low, 0.006)
		near(t, "high", i.HighPct, c.high, 0.006)
		if !i.Contains(100 * float64(c.hits) / float64(c.n)) {
			t.Errorf("%d of %d is outside its own interval %+v", c.hits, c.n, i)
		}
	}
	if got := Wilson95(0, 0); got != (Interval{0, 100}) {
		t.Errorf("empty sample: got %+v, want %+v", got, (Interval{0, 100}))
	}
}

func TestPercentileType7(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for p, want := range map[float64]float64{0: 1, 25: 1.75, 50: 2.5, 95: 3.85, 100: 4} {
		near(t, "percentile", Percentile(values, p), want, 1e-12)
	}
	if !slices.Equal(values, []float64{4, 1, 3, 2}) {
		t.Error("the input was sorted in place")
	}
	for _, p := range []float64{-1, 101, math.NaN()} {
		if !math.IsNaN(Percentile(values, p)) {
			t.Errorf("percentile %v is not NaN", p)
		}
	}
	if !math.IsNaN(Percentile(nil, 50)) || Spread(nil) != nil {
		t.Error("got a percentile of an empty sample")
	}
}

func TestLateLoss(t *testing.T) {
	late := LateLosses([]float64{0, 10, 20, 20.1, 45, 60, 61, 100, 150, 300}, 20)
	want := []LateLoss{{20, 70, 85}, {40, 60, 80}, {60, 40, 70}, {100, 20, 60}, {200, 10, 55}}
	if !slices.Equal(late, want) {
		t.Errorf("got %v\nwant %v", late, want)
	}
	if LateLosses(nil, 20) != nil {
		t.Error("got a late loss without arrivals")
	}
}

func TestRoundTripLessTurnaround(t *testing.T) {
	echoes := []Echo{
		{UpSeq: 0, SentNS: 0, ReturnedNS: 30e6, TurnaroundNS: 10e6},
		{UpSeq: 1, SentNS: 20e6, ReturnedNS: 60e6, TurnaroundNS: 0},
		{UpSeq: 1, SentNS: 20e6, ReturnedNS: 900e6, TurnaroundNS: 0}, // echo of a duplicate
		{UpSeq: 2, SentNS: 40e6, ReturnedNS: 41e6, TurnaroundNS: 2e6},
		{UpSeq: 3, SentNS: 60e6, ReturnedNS: 61e6, TurnaroundNS: -5e6},
	}
	r := RoundTripsOf(echoes)
	if r.N != 2 || r.Invalid != 2 || r.Min != 20 || r.P50 != 30 || r.Max != 40 {
		t.Errorf("got %+v, want 2 valid and 2 invalid, 20, 30 and 40 ms", r)
	}
	if RoundTripsOf(echoes[3:]) != nil || RoundTripsOf(nil) != nil {
		t.Error("got a round trip without a valid echo")
	}
}

func TestLongestGap(t *testing.T) {
	for name, c := range map[string]struct {
		packets []Packet
		sent    int
		want    float64
	}{
		"steady":          {stream(0, 1, 2), 3, 20},
		"start missing":   {stream(5, 6), 7, 100},
		"line died":       {stream(0, 1), 12, 200},
		"nothing arrived": {nil, 10, 200},
		"stalled":         {[]Packet{{0, 0, 0}, {1, 20e6, 520e6}, {2, 40e6, 520e6}}, 3, 520},
	} {
		near(t, name, *LongestGapMS(Sort(c.packets, 0, c.sent), 20e6), c.want, 1e-9)
	}
	if LongestGapMS(Sort(nil, 0, 0), 20e6) != nil {
		t.Error("got a value without packets sent")
	}
}

func TestScheduleVerdict(t *testing.T) {
	sends := func(lateMS func(i int) float64) []Send {
		s := make([]Send, 300)
		for i := range s {
			s[i] = Send{PlannedNS: int64(i) * 20e6, SentNS: int64(i)*20e6 + int64(lateMS(i)*1e6)}
		}
		return s
	}
	steady := func(ms float64) func(int) float64 { return func(int) float64 { return ms } }
	once := func(ms float64) func(int) float64 {
		return func(i int) float64 {
			if i == 100 {
				return ms
			}
			return 0
		}
	}
	for name, c := range map[string]struct {
		late   func(int) float64
		missed int
		want   Verdict
	}{
		"on time": {steady(0.2), 0, VerdictOK}, "early": {steady(-3), 0, VerdictOK},
		"a little late": {steady(6), 0, VerdictDegraded}, "always late": {steady(25), 0, VerdictVoid},
		"one stall": {once(150), 0, VerdictDegraded}, "suspended": {once(3000), 0, VerdictVoid},
		"few missed": {steady(0), 3, VerdictDegraded}, "many missed": {steady(0), 10, VerdictVoid},
	} {
		if got := CheckSchedule(sends(c.late), c.missed, DefaultScheduleLimits()); got.Verdict != c.want {
			t.Errorf("%s: got %+v, want %s", name, got, c.want)
		}
	}
	if got := CheckSchedule(nil, 5, DefaultScheduleLimits()); got.Verdict != VerdictVoid {
		t.Errorf("all packets missed: got %+v, want Verdict %v", got, VerdictVoid)
	}
	if CheckSchedule(nil, 0, DefaultScheduleLimits()) != nil {
		t.Error("got a verdict without planned packets")
	}
}

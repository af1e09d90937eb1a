package netbench

import (
	"math"
	"slices"
	"testing"
	"time"
)

// passed sends n packets of size bytes at an interval, and returns their delays in
// ms in order of sending; NaN if lost.
func passed(p *lane, n, size int, every time.Duration) (delayMS []float64) {
	for i := range n {
		now := int64(i) * int64(every)
		out, _ := p.admit(size, now)
		d := math.NaN()
		if len(out) > 0 {
			d = float64(out[0]-now) / 1e6
		}
		delayMS = append(delayMS, d)
	}
	return delayMS
}

func lostPct(delays []float64) float64 {
	n := 0
	for _, d := range delays {
		if math.IsNaN(d) {
			n++
		}
	}
	return 100 * float64(n) / float64(len(delays))
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.3f, want %.3f ± %.3f", what, got, want, tolerance)
	}
}

func TestRandomLoss(t *testing.T) {
	for _, pct := range []float64{0, 0.5, 10, 100} {
		p := lineOf(t, Line{LossPct: pct})
		near(t, "loss", lostPct(passed(p, 40000, 100, time.Millisecond)), pct, 4*math.Sqrt(pct*(100-pct)/40000))
	}
}

func TestBurstLoss(t *testing.T) {
	p := lineOf(t, Line{BurstLossPct: 10, BurstPackets: 8})
	delays := passed(p, 400000, 100, time.Millisecond)
	near(t, "loss", lostPct(delays), 10, 0.5)
	bursts := 0
	for i := 1; i < len(delays); i++ {
		if math.IsNaN(delays[i]) && !math.IsNaN(delays[i-1]) {
			bursts++
		}
	}
	near(t, "mean burst", lostPct(delays)/100*float64(len(delays))/float64(bursts), 8, 0.4)

	half := lineOf(t, Line{BurstLossPct: 10, BurstPackets: 8, BadLossPct: 50})
	near(t, "loss with half lost in the bad state", lostPct(passed(half, 400000, 100, time.Millisecond)), 10, 0.5)
}

func TestShapesOfJitter(t *testing.T) {
	for _, c := range []struct {
		line           Line
		least, most, p float64 // p is the median
		tolerance      float64
	}{
		{Line{DelayMS: 5, Jitter: "uniform", JitterMS: 8, Overtaking: true}, 5, 13, 9, 0.2},
		{Line{DelayMS: 5, Jitter: "normal", JitterMS: 8, Overtaking: true}, 5, 21, 13, 0.2},
		{Line{DelayMS: 5, Jitter: "spikes", JitterMS: 8, SpikePct: 20, Overtaking: true}, 5, 13, 5, 0},
		{Line{DelayMS: 5, Jitter: "grid", JitterMS: 4}, 5, 9, 7, 0.5},
		{Line{DelayMS: 5, Jitter: "stalls", JitterMS: 40, StallEveryMS: 200}, 5, 65.1, 5, 0.01},
	} {
		delays := passed(lineOf(t, c.line), 20000, 100, 7300*time.Microsecond)
		if lo, hi := slices.Min(delays), slices.Max(delays); lo < c.least-1e-6 || hi > c.most {
			t.Errorf("%s: got %.3f to %.3f ms, want within %.3f and %.3f", c.line.Jitter, lo, hi, c.least, c.most)
		}
		if slices.Max(delays)-slices.Min(delays) < 0.5*(c.most-c.least) {
			t.Errorf("%s: got almost no jitter", c.line.Jitter)
		}
		near(t, c.line.Jitter+" median", median(delays), c.p, c.tolerance)
	}
}

func TestOrderIsKeptUnlessOvertaking(t *testing.T) {
	for _, shape := range []Line{
		{Jitter: "uniform", JitterMS: 100}, {Jitter: "normal", JitterMS: 100}, {Jitter: "spikes", JitterMS: 100, SpikePct: 30},
		{Jitter: "stalls", JitterMS: 100, StallEveryMS: 50}, {Jitter: "grid", JitterMS: 30},
		{RateKbps: 500, QueueMS: 300, Bulk: true}, {RateKbps: 500, QueueMS: 300, CrossKbps: 480},
	} {
		if n := overtakings(lineOf(t, shape)); n > 0 {
			t.Errorf("%+v: got %d overtakings, want none", shape, n)
		}
	}
	for _, shape := range []Line{
		{Jitter: "uniform", JitterMS: 100, Overtaking: true}, {ReorderPct: 5, ReorderMS: 50},
	} {
		if overtakings(lineOf(t, shape)) == 0 {
			t.Errorf("%+v: got no overtaking", shape)
		}
	}
}

func overtakings(p *lane) (n int) {
	last := int64(math.MinInt64)
	for i := range 3000 {
		out, _ := p.admit(200, int64(i)*20e6)
		if len(out) == 0 {
			continue
		}
		if out[0] < last {
			n++
		}
		last = max(last, out[0])
	}
	return n
}

func TestBottleneck(t *testing.T) {
	// 1 Mbit/s into half of that: half of the packets are dropped, the others wait
	// for a full queue of 100 ms and their own 20 ms.
	p := lineOf(t, Line{RateKbps: 500, QueueMS: 100})
	delays := passed(p, 1000, 1250, 10*time.Millisecond)
	near(t, "dropped", lostPct(delays), 50, 2)
	near(t, "full queue", slices.Max(arrived(delays[500:])), 120, 11)

	inBytes := lineOf(t, Line{RateKbps: 500, QueueBytes: 6250}) // the same queue
	near(t, "queue in bytes", float64(inBytes.queueNS())/1e6, 100, 0.001)

	idle := lineOf(t, Line{RateKbps: 500, QueueMS: 100})
	near(t, "empty queue", passed(idle, 10, 1250, time.Second)[9], 20, 0.001)
}

func TestOthersTraffic(t *testing.T) {
	busy := lineOf(t, Line{RateKbps: 1000, QueueMS: 100, CrossKbps: 1300})
	full := lineOf(t, Line{RateKbps: 1000, QueueMS: 100, Bulk: true})
	light := lineOf(t, Line{RateKbps: 1000, QueueMS: 100, CrossKbps: 100})
	const every = 20 * time.Millisecond
	if lost := lostPct(passed(busy, 5000, 200, every)); lost < 10 || lost > 50 {
		t.Errorf("with 130 %% of the rate, got a loss of %.1f %%, want 10 to 50", lost)
	}
	if d := median(passed(full, 5000, 200, every)); d < 50 || d > 105 {
		t.Errorf("beside a bulk transfer got a delay of %.1f ms, want half to whole queue", d)
	}
	if d := median(passed(light, 5000, 200, every)); d > 10 {
		t.Errorf("with 10 %% of the rate, got a delay of %.1f ms, want at most 10", d)
	}
}

func TestDuplicates(t *testing.T) {
	p := lineOf(t, Line{DelayMS: 3, DuplicatePct: 20})
	copies := 0
	for i := range 20000 {
		out, _ := p.admit(100, int64(i)*1e6)
		copies += len(out)
	}
	near(t, "copies", float64(copies), 24000, 300)
}

func TestFilter(t *testing.T) {
	f, err := parseFilter([]string{"icmp", "udp/3478", "tcp/1000-2000"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		packet packet
		port   uint16
		want   bool
	}{
		{ping(home(1), server(0)), 0, true}, {udp(home(1), a1, 0), 3478, true}, {udp(home(1), a1, 0), 3479, false},
		{tcp(home(1), a1), 3478, false}, {tcp(home(1), a1), 1000, true}, {tcp(home(1), a1), 2000, true}, {tcp(home(1), a1), 2001, false},
		{udp6(home6(1), server6(3478), 0), 3478, true},
	} {
		if got := f.matches(c.packet, c.port); got != c.want {
			t.Errorf("%v port %d: got %t, want %t", c.packet.protocol(), c.port, got, c.want)
		}
	}
	only6, err := parseFilter([]string{"ipv6"})
	if err != nil {
		t.Fatal(err)
	}
	if only6.matches(udp(home(1), a1, 0), 1) || !only6.matches(udp6(home6(1), server6(1), 0), 1) {
		t.Error("the IPv6 filter matches IPv4")
	}
}

// arrived removes lost packets.
func arrived(delays []float64) []float64 { return slices.DeleteFunc(slices.Clone(delays), math.IsNaN) }

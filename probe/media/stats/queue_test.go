package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// voice returns 6 s of packets with the given delays in ms; a negative delay is a
// loss.
func voice(delayMS func(i int) float64) []Packet {
	var packets []Packet
	for i := range 300 {
		if d := delayMS(i); d >= 0 {
			sent := int64(i) * 20e6
			packets = append(packets, Packet{Seq: uint32(i), SentNS: sent, ArrivedNS: sent + int64(d*1e6)})
		}
	}
	slices.SortStableFunc(packets, func(a, b Packet) int { return cmp.Compare(a.ArrivedNS, b.ArrivedNS) })
	return packets
}

// sawtooth is the queue of one long TCP transfer: it grows from half full to full
// in two seconds, then drains at the rate of the line (RFC 5681).
func sawtooth(fullMS float64) func(int) float64 {
	return func(i int) float64 {
		rise, drain := 2000.0, fullMS/2
		t := math.Mod(float64(i)*20+700, rise+drain)
		if t < rise {
			return fullMS * (0.5 + 0.5*t/rise)
		}
		return fullMS - (t - rise)
	}
}

// narrow is a line that needs txMS for each packet and queues packets for up to
// queueMS.
func narrow(txMS, queueMS float64) func(int) float64 {
	free := 0.0
	return func(i int) float64 {
		now := float64(i) * 20
		start := max(now, free)
		if start-now > queueMS {
			return -1
		}
		free = start + txMS
		return free - now
	}
}

func random(seed uint64, f func(*rand.Rand) float64) func(int) float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(int) float64 { return f(r) }
}

func TestQueueSwing(t *testing.T) {
	// The increase of the delay within a window is not visible: a quarter of its
	// 400 ms at the slope of a 1 s buffer.
	for name, c := range map[string]struct {
		delay     func(int) float64
		low, high float64 // bounds of QueueSwingMS
	}{
		"a second's buffer, one transfer": {sawtooth(1000), 350, 500},
		"700 ms":                          {sawtooth(700), 250, 350},
		"with loss": {func(i int) float64 {
			if i%7 == 0 {
				return -1
			}
			return sawtooth(1000)(i)
		}, 350, 500},
		"with jitter on top": {func(i int) float64 { return sawtooth(1000)(i) + 30*math.Abs(math.Sin(float64(i))) }, 350, 520},
		"steady":             {func(int) float64 { return 300 }, 0, 0.001},
		"satellite":          {func(i int) float64 { return 300 + 0.1*float64(i%2) }, 0, 1},
		"uniform jitter":     {random(1, func(r *rand.Rand) float64 { return 160 * r.Float64() }), 0, 60},
		"spikes": {func(i int) float64 {
			if i%4 == 0 {
				return 120
			}
			return 10
		}, 0, 1},
		"a radio in power saving for 180 ms": {func(i int) float64 { return max(10, 180-20*float64(i%15)) }, 0, 1},
		"a handover that delays everything for 1.5 s": {func(i int) float64 {
			if i >= 100 && i < 175 {
				return 1500 - 20*float64(i-100)
			}
			return 10
		}, 0, 0},
		"a new route with 300 ms more delay": {func(i int) float64 { return 20 + 300*float64(i/150) }, 0, 0},
		"a new route with 300 ms less delay": {func(i int) float64 { return 320 - 300*float64(i/150) }, 0, 0},
		"a queue that drains at once": {func(i int) float64 {
			if i < 150 {
				return 50
			}
			return max(10, 50-20*float64(i-150))
		}, 39, 41},
		"a narrow line fills up": {narrow(34.7, 600), 350, 640},
	} {
		packets := voice(c.delay)
		got := QueueSwingMS(packets, Skew(packets))
		if got == nil || *got < c.low || *got > c.high {
			t.Errorf("%s: got %v, want %g to %g", name, show(got), c.low, c.high)
		}
	}
	// A line with a full buffer of 1 s leaves time for only 1.3 s.
	if got := QueueSwingMS(voice(sawtooth(1000))[:65], 0); got == nil || *got < 200 || *got > 330 {
		t.Errorf("1.3 s: got %v, want 200 to 330", show(got))
	}
	if got := QueueSwingMS(voice(func(i int) float64 { return 10 + 30*float64(i%3) })[:65], 0); got == nil || *got > 1 {
		t.Errorf("1.3 s of jitter: got %v, want at most 1", show(got))
	}
	if got := QueueSwingMS(voice(sawtooth(1000))[:35], 0); got != nil {
		t.Errorf("0.7 s: got %v, want unknown", *got)
	}
	if got := QueueSwingMS(nil, 0); got != nil {
		t.Errorf("no arrivals: got %v, want unknown", *got)
	}
}

func TestSlowedInterval(t *testing.T) {
	for name, c := range map[string]struct {
		delay func(int) float64
		want  float64 // ms; 0: not slowed
	}{
		"30 kbit/s":   {narrow(34.7, 600), 34.7},
		"25 % slower": {narrow(25, 300), 25},
		"wide enough": {narrow(12, 300), 0},
		"just enough": {narrow(20, 300), 0},
		"every second lost": {func(i int) float64 {
			if i%2 == 1 {
				return -1
			}
			return 20
		}, 0},
		"two of three lost": {func(i int) float64 {
			if i%3 > 0 {
				return -1
			}
			return 20 + 0.1*float64(i%2)
		}, 0},
		"random loss": {random(3, func(r *rand.Rand) float64 {
			if r.Float64() < 0.4 {
				return -1
			}
			return 20
		}), 0},
		"jitter":         {random(4, func(r *rand.Rand) float64 { return 60 * r.Float64() }), 0},
		"another upload": {sawtooth(1000), 0},
	} {
		got := SlowedInterval(voice(c.delay), 20e6)
		switch {
		case c.want == 0 && got != nil:
			t.Errorf("%s: got an interval of %g ms, want none", name, *got/1e6)
		case c.want > 0 && (got == nil || math.Abs(*got/1e6-c.want) > 0.5):
			t.Errorf("%s: got %v, want %g ms", name, show(got), c.want)
		}
	}
	for _, p := range [][]Packet{nil, voice(narrow(34.7, 600))[:20]} {
		if got := SlowedInterval(p, 20e6); got != nil {
			t.Errorf("%d packets: got %v, want unknown", len(p), *got)
		}
	}
}

// TestEchoesOfANarrowLine: packets sent over 30 kbit/s do not return faster,
// however fast the line back is.
func TestEchoesOfANarrowLine(t *testing.T) {
	var echoes []Packet
	for i, p := range voice(narrow(34.7, 600)) {
		echoes = append(echoes, Packet{Seq: uint32(i), SentNS: p.ArrivedNS, ArrivedNS: p.ArrivedNS + 20e6})
	}
	if got := SlowedInterval(echoes, 20e6); got != nil {
		t.Errorf("got an interval of %g ms, want none", *got/1e6)
	}
	for i := range echoes { // on a line that is even slower
		echoes[i].ArrivedNS = echoes[0].SentNS + int64(i)*55e6
	}
	if got := SlowedInterval(echoes, 20e6); got == nil || math.Abs(*got/1e6-55) > 0.5 {
		t.Errorf("got %v, want 55 ms", show(got))
	}
}

func show(v *float64) any {
	if v == nil {
		return "unknown"
	}
	return *v
}

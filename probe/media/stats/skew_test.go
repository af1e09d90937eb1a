package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// skewed returns a stream of n packets whose receiver's clock is fast by ppm, over
// a line with the delay delayMS(i) for packet i.
func skewed(n int, ppm float64, delayMS func(i int) float64) []Packet {
	packets := make([]Packet, n)
	for i := range packets {
		sent := int64(i) * 20e6
		trueArrival := float64(sent) + delayMS(i)*1e6
		packets[i] = Packet{Seq: uint32(i), SentNS: sent, ArrivedNS: 7e15 + int64(trueArrival*(1+ppm*1e-6))}
	}
	return packets
}

func TestSkewWithJitter(t *testing.T) {
	for _, ppm := range []float64{-200, -100, 0, 100, 200} {
		rng := rand.New(rand.NewPCG(1, 2))
		packets := skewed(3000, ppm, func(int) float64 { return 30 + 4*rng.ExpFloat64() })
		near(t, "skew in ppm", Skew(packets), ppm, 5)
	}
}

func TestSkewOf100PPMDoesNotTouchPDV(t *testing.T) {
	delay := func(rng *rand.Rand) func(int) float64 {
		return func(int) float64 { return 30 + 4*rng.ExpFloat64() }
	}
	truth := Spread(PDV(skewed(3000, 0, delay(rand.New(rand.NewPCG(3, 4)))), 0))
	packets := skewed(3000, 100, delay(rand.New(rand.NewPCG(3, 4))))
	got := Spread(PDV(packets, Skew(packets)))
	near(t, "PDV p50", got.P50, truth.P50, 0.3)
	near(t, "PDV p95", got.P95, truth.P95, 0.3)
	near(t, "PDV p99", got.P99, truth.P99, 0.3)
	if raw := Spread(PDV(packets, 0)); raw.P50 < truth.P50+2 {
		t.Errorf("PDV p50 is %v without removal, truth %v: the vector tests nothing", raw.P50, truth.P50)
	}
}

func TestNonLinearDelayIsNotRemovedAsSkew(t *testing.T) {
	for name, delayMS := range map[string]func(int) float64{
		"queue that fills":       func(i int) float64 { return 20 + float64(i)/10 },
		"queue fills and drains": func(i int) float64 { return 20 + 100*math.Sin(math.Pi*float64(i)/3000) },
		"route changed up":       func(i int) float64 { return 20 + 10*float64(i/1500) },
		"route changed down":     func(i int) float64 { return 30 - 10*float64(i/1500) },
		"one spike":              func(i int) float64 { return 20 + 300*float64(i/2999) },
		"level":                  func(int) float64 { return 20 },
	} {
		if got := Skew(skewed(3000, 0, delayMS)); got != 0 {
			t.Errorf("%s: got %v ppm, want 0", name, got)
		}
	}
}

func TestSkewOfShortStreamIsZero(t *testing.T) {
	ramp := func(i int) float64 { return 20 + float64(i)*0.002 }
	for _, n := range []int{0, 1, 49, 99} {
		if got := Skew(skewed(n, 0, ramp)); got != 0 {
			t.Errorf("%d packets: got %v ppm, want 0", n, got)
		}
	}
	same := make([]Packet, 100) // all timestamps equal
	if got := Skew(same); got != 0 {
		t.Errorf("equal timestamps: got %v ppm, want 0", got)
	}
}

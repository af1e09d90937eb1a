package lossmodel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func of(lost, sent float64) Count { return Count{Sent: sent, Lost: lost} }

// inRuns returns a count whose losses occurred in runs.
func inRuns(lost, sent, run float64) Count { return Count{sent, lost, run} }

// TestEstimate checks where all streams together locate the loss, and how large it is
// in each direction.
func TestEstimate(t *testing.T) {
	tests := map[string]struct {
		s        Streams
		place    Place
		atLeast  float64
		up, down [2]float64 // the estimate is between these, in percent
	}{
		"three weak indications of Wi-Fi": {
			Streams{VoiceUp: of(14, 300), VoiceDown: of(12, 300), Gateway: of(3, 40), ToLAN: of(8, 100), ToAccess: of(9, 100), ToCollector: of(12, 100)},
			LAN, 0.97, [2]float64{4, 6}, [2]float64{3.5, 5.5}},
		"the access line, only up": {
			Streams{VoiceUp: of(15, 300), VoiceDown: of(0, 300), Gateway: of(0, 40), ToLAN: of(0, 100), ToAccess: of(5, 100), ToCollector: of(6, 100)},
			Access, 0.95, [2]float64{4, 6}, [2]float64{0, 0.5}},
		"behind the provider": {
			Streams{VoiceUp: of(0, 300), VoiceDown: of(24, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(8, 100)},
			Server, 0.95, [2]float64{0, 0.5}, [2]float64{6, 10}},
		"lost to both far ends, not to the router between": {
			Streams{VoiceUp: of(30, 300), VoiceDown: of(30, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(19, 100), ToServer: of(18, 100)},
			Transit, 0.9, [2]float64{8, 12}, [2]float64{8, 12}},
		"the conference server alone": {
			Streams{VoiceUp: of(0, 300), VoiceDown: of(0, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(0, 100), ToServer: of(20, 100)},
			Server, 0.9, [2]float64{4, 20}, [2]float64{4, 20}},
		"the collector alone": {
			Streams{VoiceUp: of(30, 300), VoiceDown: of(28, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(19, 100), ToServer: of(0, 100)},
			Collector, 0.95, [2]float64{8, 12}, [2]float64{8, 12}},
		"the voice alone": {
			Streams{VoiceUp: of(24, 300), VoiceDown: of(0, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(0, 100)},
			Elsewhere, 0.95, [2]float64{6, 10}, [2]float64{0, 0.5}},
		"a burst that hit all simultaneous streams but one": {
			Streams{VoiceUp: inRuns(20, 300, 20), VoiceDown: of(0, 280), ToLAN: of(0, 100), ToAccess: of(9, 100), ToCollector: of(9, 100), PathRunPackets: 18},
			Access, 0.95, [2]float64{3, 12}, [2]float64{0, 1}},
	}
	for name, c := range tests {
		p, ok := Estimate(c.s, 2)
		if !ok {
			t.Errorf("%s: no estimate", name)
			continue
		}
		if p.At(c.place) < c.atLeast {
			t.Errorf("%s: probability %.3f, want place %d with at least %.2f", name, p.place, c.place, c.atLeast)
		}
		if p.Up.Pct < c.up[0] || p.Up.Pct > c.up[1] || p.Down.Pct < c.down[0] || p.Down.Pct > c.down[1] {
			t.Errorf("%s: up %.2f, down %.2f, want within %v, %v", name, p.Up, p.Down, c.up, c.down)
		}
	}
}

// TestRouterThatLimitsItsAnswers: a router that omits responses does not put its
// segment at fault.
func TestRouterThatLimitsItsAnswers(t *testing.T) {
	for name, s := range map[string]Streams{
		"no other loss":         {VoiceUp: of(0, 300), VoiceDown: of(1, 300), Gateway: of(24, 40), ToLAN: of(60, 100), ToAccess: of(0, 100), ToCollector: of(0, 100)},
		"one stream":            {VoiceUp: of(1, 300), VoiceDown: of(0, 300), Gateway: of(6, 40), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(0, 100)},
		"the provider's router": {VoiceUp: of(0, 300), VoiceDown: of(0, 300), ToLAN: of(0, 100), ToAccess: of(80, 100), ToCollector: of(0, 100)},
		"the collector":         {VoiceUp: of(0, 300), VoiceDown: of(0, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(12, 100)},
	} {
		if p, ok := Estimate(s, 2); !ok || p.Worst.Pct > 1 {
			t.Errorf("%s: got a loss of %.2f %%, want less", name, p.Worst)
		}
	}
	// Nor does it if there is a loss on the line as well.
	s := Streams{VoiceUp: of(24, 300), VoiceDown: of(25, 300), ToLAN: of(60, 100), ToAccess: of(16, 100), ToCollector: of(15, 100)}
	if p, _ := Estimate(s, 2); p.At(LAN) > 0.8 {
		t.Errorf("got a probability of %.2f for the home network, want at most 0.8", p.At(LAN))
	}
}

// TestBurstsAreEvents: twelve packets lost in two bursts prove less than twelve lost
// independently.
func TestBurstsAreEvents(t *testing.T) {
	base := Streams{VoiceDown: of(0, 300), ToLAN: of(0, 100), ToAccess: of(0, 100), ToCollector: of(0, 100)}
	low := func(run float64) float64 {
		s := base
		s.VoiceUp = inRuns(12, 300, run)
		p, _ := Estimate(s, 2)
		return p.Up.LowPct
	}
	last := math.Inf(1)
	for _, run := range []float64{1, 2, 3, 4, 6, 12} {
		l := low(run)
		if l > last {
			t.Errorf("runs of %v: the interval begins at %.2f, want at most the %.2f of shorter runs", run, l, last)
		}
		last = l
	}
	if l := low(1); l < 1.5 {
		t.Errorf("independent losses: the interval begins at %.2f, want at least 1.5", l)
	}
	if l := low(6); l > 1 {
		t.Errorf("two bursts: the interval begins at %.2f, want below 1", l)
	}
}

// TestInterruptedLine: during an interruption nothing arrives that could be sent back:
// half of the echoes and of the voice are lost by one event.
func TestInterruptedLine(t *testing.T) {
	p, _ := Estimate(Streams{VoiceUp: inRuns(75, 300, 75), Together: true, ToLAN: of(0, 100), ToAccess: of(30, 100), ToCollector: of(30, 100), PathRunPackets: 60}, 2)
	if p.At(Access) < 0.95 || p.Goes(Access, Both) != 1 || p.Worst.Pct < 15 || p.Worst.LowPct < 1 {
		t.Errorf("access %.2f, both directions %.2f, worst %.2f; want at least 0.95, 1, at least 15 from 1 on", p.At(Access), p.Goes(Access, Both), p.Worst)
	}
}

// TestEchoesAlone: without a voice stream an echo does not distinguish the directions:
// each has half of its loss.
func TestEchoesAlone(t *testing.T) {
	p, _ := Estimate(Streams{ToLAN: of(0, 100), ToAccess: of(19, 100), ToCollector: of(20, 100)}, 2)
	if p.At(Access) < 0.9 || p.Up.Pct < 7 || p.Up.Pct > 14 || math.Abs(p.Up.Pct-p.Down.Pct) > 0.01 {
		t.Errorf("access %.2f, up %.2f, down %.2f; want at least 0.9, 7 to 14, the same", p.At(Access), p.Up, p.Down)
	}
}

func TestNothingLostIsNoEstimate(t *testing.T) {
	for name, s := range map[string]Streams{
		"nothing":        {},
		"nothing lost":   {VoiceUp: of(0, 300), ToCollector: of(0, 100)},
		"too few":        {VoiceUp: of(3, 7)},
		"silent":         {ToLAN: of(100, 100)},
		"not numbers":    {VoiceUp: of(math.NaN(), 300), Gateway: of(1, math.Inf(1))},
		"more than sent": {VoiceUp: of(301, 300), ToLAN: of(-1, 100)},
	} {
		if p, ok := Estimate(s, 2); ok {
			t.Errorf("%s: got %+v, want no estimate", name, p.Up)
		}
	}
}

// TestEstimateIsSound: for any counts, the probabilities are valid, and each estimate
// is inside its interval.
func TestEstimateIsSound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	count := func() Count {
		sent := float64(r.IntN(320))
		if r.IntN(20) == 0 {
			sent = float64(r.IntN(1e6))
		}
		return Count{sent, math.Floor(sent * math.Pow(r.Float64(), 3)), float64(r.IntN(30))}
	}
	for range 400 {
		s := Streams{VoiceUp: count(), VoiceDown: count(), Gateway: count(), ToLAN: count(), ToAccess: count(), ToCollector: count(), ToServer: count(), PathRunPackets: float64(r.IntN(40))}
		s.Together = r.IntN(5) == 0
		p, ok := Estimate(s, 2)
		if !ok {
			continue
		}
		sum := 0.0
		for place := range places {
			sum += p.At(place)
		}
		if math.Abs(sum-1) > 1e-6 && sum != 0 {
			t.Fatalf("%+v: the probabilities of the places sum to %v, want 1 or 0", s, sum)
		}
		for _, e := range []Rate{p.Up, p.Down, p.Worst} {
			if !(e.LowPct >= 0 && e.LowPct <= e.HighPct && e.HighPct <= 100 && e.Pct >= 0 && e.Pct <= 100) {
				t.Fatalf("%+v: got %+v, want values within 0 to 100 and an ordered interval", s, e)
			}
		}
		if p.Worst.Pct < max(p.Up.Pct, p.Down.Pct)-0.5 && burstFactor(s.VoiceUp) < 1.05 && burstFactor(s.VoiceDown) < 1.05 {
			t.Fatalf("%+v: got worst %+v of %+v and %+v, want at least the larger one", s, p.Worst, p.Up, p.Down)
		}
		if a := p.UpAbove(3); !(a >= 0 && a <= 1.0001) {
			t.Fatalf("%+v: got a probability of %v above 3 %%, want 0 to 1", s, a)
		}
	}
}

// TestIntervalHoldsTheTruth: the interval contains the true rate in about 95 of 100
// independent streams.
func TestIntervalHoldsTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 8))
	for _, truth := range []float64{0.02, 0.05, 0.12} {
		held := 0
		const n = 300
		for range n {
			lose := func(sent int, p float64) Count {
				lost := 0.0
				for range sent {
					if r.Float64() < p {
						lost++
					}
				}
				return of(lost, float64(sent))
			}
			s := Streams{
				VoiceUp: lose(300, truth), VoiceDown: lose(300, 0.001), Gateway: lose(40, 0.001), ToLAN: lose(100, 0.001),
				ToAccess: lose(100, truth), ToCollector: lose(100, truth),
			}
			p, ok := Estimate(s, 2)
			if ok && p.Up.LowPct <= 100*truth && 100*truth <= p.Up.HighPct {
				held++
			}
		}
		if held < n*90/100 {
			t.Errorf("%.0f %%: in %d of %d intervals, want about 95 %%", 100*truth, held, n)
		}
	}
}

func BenchmarkEstimate(b *testing.B) {
	s := Streams{VoiceUp: of(14, 300), VoiceDown: of(12, 300), Gateway: of(3, 40), ToLAN: of(8, 100), ToAccess: of(9, 100), ToCollector: of(12, 100), PathRunPackets: 3}
	for b.Loop() {
		Estimate(s, 2)
	}
}

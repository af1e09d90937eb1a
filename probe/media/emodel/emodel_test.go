package emodel

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.6f, want %v ± %v", what, got, want, tolerance)
	}
}

func TestG107Defaults(t *testing.T) {
	terms := rateNarrowband(Defaults())
	near(t, "No", terms.no, -61.179214, 5e-7)
	near(t, "Ro", terms.ro, 94.768822, 5e-7)
	near(t, "Is", terms.is, 1.413568, 5e-7)
	near(t, "Idle", terms.idle, .149046, 5e-7)
	near(t, "Idte", terms.idte, 0, 0)
	near(t, "Idd", terms.idd, 0, 0)
	score, err := RateNarrowband(Defaults(), "none")
	if err != nil {
		t.Fatal(err)
	}
	near(t, "R", score.R, 93.2062, 5e-5)
	near(t, "MOS", score.MOS, 4.4094, 5e-5)
	if score.Model != "G.107" || score.Codec != "none" {
		t.Errorf("got %+v, want model G.107 without a codec", score)
	}
}

func TestG107ReferencePoints(t *testing.T) {
	for _, c := range []struct{ delayMS, lossPct, r, mos float64 }{
		{0, 1, 75.282, 3.8339}, {50, 0, 91.756, 4.3796}, {50, 1, 73.832, 3.7712}, {100, 0, 90.664, 4.3549},
		{150, 1, 71.615, 3.6718}, {200, .5, 75.909, 3.8605}, {300, 3, 33.625, 1.7648},
	} {
		p := Defaults()
		p.T, p.Ta, p.Tr, p.Ppl = c.delayMS, c.delayMS, 2*c.delayMS, c.lossPct
		score, err := RateNarrowband(p, "none")
		if err != nil {
			t.Fatal(err)
		}
		near(t, "R", score.R, c.r, 5e-4)
		near(t, "MOS", score.MOS, c.mos, 5e-5)
	}
}

func TestG107WithoutEcho(t *testing.T) {
	for delayMS, r := range map[float64]float64{200: 90.162, 300: 78.446, 400: 69.136} {
		p := Defaults()
		p.Ta = delayMS
		near(t, "R", rateNarrowband(p).r, r, 5e-4)
	}
}

func TestG711WithConcealment(t *testing.T) {
	for lossPct, r := range map[float64]float64{2: 86.195, 5: 77.425} {
		p := Defaults()
		p.Bpl, p.Ppl = 25.1, lossPct
		near(t, "R", rateNarrowband(p).r, r, 5e-4)
	}
}

func TestG107BurstsCostMore(t *testing.T) {
	p := Defaults()
	p.Ppl = 2
	random := rateNarrowband(p).r
	p.BurstR = 3
	if bursty := rateNarrowband(p).r; bursty >= random {
		t.Errorf("got R %v with bursts, %v with random loss, want less with bursts", bursty, random)
	}
}

func TestG1071ReferencePoints(t *testing.T) {
	for _, c := range []struct{ ie, bpl, lossPct, r, mos float64 }{
		{8, 4.3, 0, 121, 4.4206}, {13, 4.3, 0, 116, 4.3371}, {41, 4.3, 0, 88, 3.5123}, {20, 4.3, 2, 85.19, 3.4062},
	} {
		score, err := RateWideband(Codec{Name: "vector", Ie: c.ie, Bpl: c.bpl}, c.lossPct, 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "R", score.R, c.r, 5e-3)
		near(t, "MOS", score.MOS, c.mos, 5e-5)
		if score.Model != "G.107.1" || score.Codec != "vector" {
			t.Errorf("got %+v, want model G.107.1, codec vector", score)
		}
	}
}

func TestG1072Formula(t *testing.T) {
	for _, c := range []struct{ ie, bpl, lossPct, oneWayMS, r float64 }{
		{0, 10, 0, 0, 148},
		{0, 10, 0, 100, 148},
		{10.67, 9.79, 0, 0, 137.33},
		{32, 10, 10, 0, 148 - 82}, // (132-32)·10/20 = 50
		{0, 10, 0, 200, 143.4946}, // Idd(200) = G.107's 93.2062-90.162, times 1.48
		{32, 10, 10, 200, 66 - 4.5054},
	} {
		score, err := RateFullband(Codec{Ie: c.ie, Bpl: c.bpl}, c.lossPct, c.oneWayMS)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "R", score.R, c.r, 0.01)
		near(t, "MOS", score.MOS, MOS(c.r/1.48), 5e-4)
		if score.Model != "G.107.2" {
			t.Errorf("got %+v, want model G.107.2", score)
		}
	}
}

func TestDelayCostsTheSameAsInG107(t *testing.T) {
	base := rateNarrowband(Defaults()).r
	for _, ta := range []float64{50, 150, 200, 400} {
		p := Defaults()
		p.Ta = ta
		score, err := RateWideband(Codec{Bpl: 10}, 0, ta)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "R", wideTop-score.R, base-rateNarrowband(p).r, 1e-9)
	}
}

func TestMOSIsClamped(t *testing.T) {
	for _, r := range []float64{math.Inf(-1), -1, 0, 1, 3, 6.4} {
		near(t, "MOS", MOS(r), 1, 0)
	}
	for _, r := range []float64{100, 129, math.Inf(1)} {
		near(t, "MOS", MOS(r), 4.5, 0)
	}
	before := 0.0
	for r := -10.0; r <= 110; r += .1 {
		if MOS(r) < before {
			t.Fatalf("MOS falls at R = %v", r)
		}
		before = MOS(r)
	}
	if !math.IsNaN(MOS(math.NaN())) {
		t.Error("got a score without parameters")
	}
}

func TestOpusVoiceScore(t *testing.T) {
	clean, err := RateVoice(Voice{RTTMS: 20, PlayoutMS: 60})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "R", clean.R, 129-19.96, 1e-9)
	if clean.Model != "G.107.1" || !strings.Contains(clean.Codec, "random") || !strings.Contains(clean.Codec, "Alahmadi") {
		t.Errorf("got %+v, want G.107.1 with the codec values for random loss", clean)
	}
	random, _ := RateVoice(Voice{RTTMS: 20, PlayoutMS: 60, LossPct: 5, BurstR: new(1.2)})
	near(t, "R random", random.R, 129-19.96-(95-19.96)*5/(5+19.50), 1e-9)
	bursty, _ := RateVoice(Voice{RTTMS: 20, PlayoutMS: 60, LossPct: 5, BurstR: new(2.0)})
	near(t, "R bursty", bursty.R, 129-19.96-(95-19.96)*5/(5+16.92), 1e-9)
	if !strings.Contains(bursty.Codec, "bursty") {
		t.Errorf("got %+v, want the codec values for bursty loss", bursty)
	}
	near(t, "mouth to ear", Voice{RTTMS: 100, PlayoutMS: 60}.MouthToEarMS(), 136.5, 1e-12)
}

func TestOpusValues(t *testing.T) {
	for _, c := range []struct {
		codec  func(bool) Codec
		ie     float64
		random float64
		bursty float64
	}{
		{OpusWideband, 19.96, 19.50, 16.92}, {OpusSuperWideband25k, 20.21, 11.28, 9.18},
		{OpusSuperWideband31k, 16.83, 10.44, 8.82}, {OpusSuperWideband40k, 10.67, 9.79, 8.04},
	} {
		if r, b := c.codec(false), c.codec(true); r.Ie != c.ie || b.Ie != c.ie || r.Bpl != c.random || b.Bpl != c.bursty {
			t.Errorf("got %+v for random loss, %+v for bursty; want %+v", r, b, c)
		}
	}
}

func TestInvalidInputIsRefused(t *testing.T) {
	nan := math.NaN()
	for name, v := range map[string]Voice{
		"loss NaN": {LossPct: nan}, "loss negative": {LossPct: -1}, "loss 101": {LossPct: 101},
		"RTT negative": {RTTMS: -1}, "RTT NaN": {RTTMS: nan}, "RTT infinite": {RTTMS: math.Inf(1)}, "playout": {PlayoutMS: -1},
	} {
		if s, err := RateVoice(v); !errors.Is(err, ErrParameter) || s != (Score{}) {
			t.Errorf("%s: got %+v, error %v; want %v", name, s, err, ErrParameter)
		}
	}
	for name, spoil := range map[string]func(*Params){
		"STMR": func(p *Params) { p.STMR = 2 }, "T": func(p *Params) { p.T = -1 }, "Ie": func(p *Params) { p.Ie = 96 },
		"Bpl": func(p *Params) { p.Bpl = 0 }, "BurstR": func(p *Params) { p.BurstR = 0 }, "Nc": func(p *Params) { p.Nc = nan },
	} {
		p := Defaults()
		spoil(&p)
		if _, err := RateNarrowband(p, ""); !errors.Is(err, ErrParameter) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrParameter)
		}
	}
	if _, err := RateFullband(Codec{Ie: 10, Bpl: nan}, 0, 0); !errors.Is(err, ErrParameter) {
		t.Errorf("Bpl: got error %v, want %v", err, ErrParameter)
	}
}

func FuzzRateVoice(f *testing.F) {
	f.Add(20.0, 60.0, 1.0, 1.0)
	f.Add(59_999.0, 59_999.0, 100.0, 1e9)
	f.Fuzz(func(t *testing.T, rtt, playout, loss, burstR float64) {
		s, err := RateVoice(Voice{RTTMS: rtt, PlayoutMS: playout, LossPct: loss, BurstR: &burstR})
		if err == nil && !(s.MOS >= 1 && s.MOS <= 4.5 && s.R <= wideTop) {
			t.Errorf("got %+v, which is out of range", s)
		}
	})
}

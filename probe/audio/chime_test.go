package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

func TestChime(t *testing.T) {
	for i, p := range phrases() {
		peak, power := 0.0, 0.0
		for i, x := range p.sound {
			peak = max(peak, math.Abs(float64(x)))
			if i > len(p.sound)/4 && i < 3*len(p.sound)/4 {
				power += float64(x) * float64(x)
			}
		}
		level := 10 * math.Log10(power/float64(len(p.sound)/2))
		if math.Abs(level-chimeDBFS) > 0.3 || peak > 0.3 {
			t.Errorf("phrase %d: level %.2f dBFS, peak %.3f; want about %v dBFS, a peak of at most 0.3", i, level, peak, chimeDBFS)
		}
		if first, last := p.sound[0], p.sound[len(p.sound)-1]; math.Abs(float64(first)) > 1e-4 || math.Abs(float64(last)) > 1e-4 {
			t.Errorf("phrase %d clicks: from %v to %v, want a start and an end at 0", i, first, last)
		}
	}
	if n, want := len(chime()), int((2*phraseFor+phrasePause)*capture.RateHz/time.Second); n != want {
		t.Errorf("%d samples, want %d", n, want)
	}
}

// TestPhrasesHaveASingleCorrelationPeak: a phrase must correlate neither with a shifted copy of
// itself nor with the other phrase; otherwise the delay of an echo would be wrong.
func TestPhrasesHaveASingleCorrelationPeak(t *testing.T) {
	both := phrases()
	own := 0.0
	for _, x := range both[0].sound {
		own += float64(x) * float64(x)
	}
	for shift := range len(both[0].sound) {
		if shift%37 != 0 { // a step that reaches every phase of a period
			continue
		}
		for name, other := range map[string][]float32{"itself": both[0].sound, "the other": both[1].sound} {
			if name == "itself" && shift < capture.RateHz/500 {
				continue
			}
			cross := 0.0
			for i := range other[shift:] {
				cross += float64(both[0].sound[i]) * float64(other[i+shift])
			}
			if r := math.Abs(cross / own); r > 0.5 {
				t.Fatalf("shifted by %d samples: correlation %.2f with %s, want at most 0.5", shift, r, name)
			}
		}
	}
}

// room returns what a microphone records of the chime: delayed, attenuated, with a
// voice or noise added.
func room(delayMS, returnDB float64, beside func(i int) float64) []float32 {
	heard := make([]float32, len(chime())+int(listenAfter*capture.RateHz/time.Second))
	gain, delay := math.Pow(10, returnDB/20), int(delayMS*capture.RateHz/1000)
	for i, x := range chime() {
		if delay+i < len(heard) {
			heard[delay+i] = float32(gain) * x
		}
	}
	for i := range heard {
		heard[i] += float32(beside(i))
	}
	return heard
}

func noiseAt(dbfs float64) func(int) float64 {
	random := rand.New(rand.NewPCG(1, 2))
	return func(int) float64 { return math.Pow(10, dbfs/20) * random.NormFloat64() }
}

func TestChimeIsFound(t *testing.T) {
	for _, c := range []struct{ delayMS, returnDB, noiseDBFS float64 }{
		{0, 0, -120}, {37, -10, -60}, {180, -26, -60}, {640, -20, -50}, {950, -30, -70}, {180, -30, -45},
	} {
		e := findChime(room(c.delayMS, c.returnDB, noiseAt(c.noiseDBFS)))
		if !e.heard || math.Abs(e.lagMS-c.delayMS) > 0.1 || math.Abs(e.returnDB-c.returnDB) > 0.3 {
			t.Errorf("%+v: got %+v, want that delay and return", c, e)
		}
	}
}

func TestChimeIsNotFound(t *testing.T) {
	vowel := func(i int) float64 { // a long vowel with its harmonics
		x := 0.0
		for h := range 12 {
			x += math.Sin(2*math.Pi*float64(h+1)*(190+10*math.Sin(float64(i)/9600))*float64(i)/capture.RateHz) / float64(h+1)
		}
		return 0.05 * x
	}
	glider := func(i int) float64 { // a rising whistle from the next room
		at := float64(i%capture.RateHz) / capture.RateHz
		return 0.05 * math.Sin(2*math.Pi*(500*at+400*at*at)*1)
	}
	for name, beside := range map[string]func(int) float64{"silence": func(int) float64 { return 0 }, "noise": noiseAt(-30), "vowel": vowel, "whistle": glider} {
		heard := make([]float32, len(chime())+capture.RateHz)
		for i := range heard {
			heard[i] = float32(beside(i))
		}
		if e := findChime(heard); e.heard {
			t.Errorf("chime detected in %s: %+v, want none", name, e)
		}
	}
	if e := findChime(nil); e.heard {
		t.Errorf("chime detected in silence: %+v, want none", e)
	}
}

// TestChimeWithADisturbance: a disturbance of one phrase affects neither the level nor the
// delay.
func TestChimeWithADisturbance(t *testing.T) {
	const delay = 100.0
	whole := room(delay, 0, func(int) float64 { return 0 })
	at := func(ms float64) int { return int(ms * capture.RateHz / 1000) }
	slip := func(ms, by float64) []float32 { // the sound system had an underrun and continued later
		out := append(slices.Clone(whole[:at(ms)]), make([]float32, at(by))...)
		return append(out, whole[at(ms):]...)
	}
	lost := func(from, to float64) []float32 {
		out := slices.Clone(whole)
		clear(out[at(from):at(to)])
		return out
	}
	for name, heard := range map[string][]float32{
		"slip in the rise":     slip(delay+400, 20),
		"slip in the fall":     slip(delay+1050+500, 60),
		"slip in both":         slip(delay+800, 140),
		"the rise is lost":     lost(0, delay+900),
		"the fall is lost":     lost(delay+1000, 2900),
		"a hole in the rise":   lost(delay+300, delay+450),
		"half of each is lost": lost(delay+450, delay+1050+300),
	} {
		e := findChime(heard)
		if !e.heard || math.Abs(e.lagMS-delay) > 0.1 || math.Abs(e.returnDB) > 1 {
			t.Errorf("%s: got %+v, want a delay of %v ms and a return of 0 dB", name, e, delay)
		}
	}
}

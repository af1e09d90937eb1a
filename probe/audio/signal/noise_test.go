package signal

import (
	"math"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// unpaused removes every pause of more than 60 ms from a voice, that is, where it
// is 22 dB below the active level.
func unpaused(voice []float32, rateHz int) []float32 {
	hop := rateHz / 50
	least := math.Pow(10, (ActiveSpeechLevel(voice, rateHz).ActiveDBFS-22)/10)
	var out []float32
	paused := 0
	for ; len(voice) >= hop; voice = voice[hop:] {
		power := 0.0
		for _, x := range voice[:hop] {
			power += float64(x) * float64(x) / float64(hop)
		}
		if paused++; power >= least {
			paused = 0
		}
		if paused <= 3 {
			out = append(out, voice[:hop]...)
		}
	}
	return out
}

// TestNoiseFloorWithoutPauses: noise behind a voice without pauses is measured between the
// syllables, and a voice without noise is not mistaken for one.
func TestNoiseFloorWithoutPauses(t *testing.T) {
	need.Full(t, "analyses many recordings")
	for i, voice := range voices {
		rate := []int{16000, 48000}[i%2]
		what := voice.name + " at " + strconv.Itoa(rate)
		clean := unpaused(spoken(t, voice.name, voice.text, rate), rate)
		gain := math.Pow(10, (-26-ActiveSpeechLevel(clean, rate).ActiveDBFS)/20)
		for i := range clean {
			clean[i] *= float32(gain)
		}
		for _, floor := range []float64{-90, -66, -52} {
			if r := analyse(Format{rate, 1}, addNoise(clean, floor)); r.NoiseFloorDBFS != nil && *r.NoiseFloorDBFS > floor+1.5 {
				t.Errorf("%s, noise of %g dBFS: floor %s dBFS, want at most that, or none", what, floor, show(r.NoiseFloorDBFS))
			}
		}
		for _, floor := range []float64{-38, -34} {
			if r := analyse(Format{rate, 1}, addNoise(clean, floor)); r.NoiseFloorDBFS == nil || math.Abs(*r.NoiseFloorDBFS-floor) > 1.5 {
				t.Errorf("%s, noise of %g dBFS: floor %s dBFS, want about that", what, floor, show(r.NoiseFloorDBFS))
			}
		}
	}
}

// TestNoiseFloorFromFrames tests all ways to determine the noise floor, and the cases without
// one, with frame levels alone.
func TestNoiseFloorFromFrames(t *testing.T) {
	type run struct {
		frames      int
		dBFS        float64
		periodicity float64
		quiet       bool // classification of the frames
	}
	speech := run{300, -25, 0.9, false}
	for _, test := range []struct {
		name string
		runs []run
		want float64 // FloorDBFS means none
	}{
		{"nothing", nil, FloorDBFS},
		{"a voice and a long quiet part", []run{speech, {40, -60, 0, true}}, -60},
		{"a voice and a short quiet part", []run{speech, {15, -60, 0, true}}, -60},
		{"a voice and too short a quiet part", []run{speech, {9, -60, 0, true}, {20, -40, 0.3, false}}, FloorDBFS},
		{"soft speech classified as quiet, true pauses below", []run{speech, {12, -38, 0, true}, {20, -60, 0, false}}, FloorDBFS},
		{"no quiet part, dips to a plateau", []run{speech, {40, -45, 0.1, false}}, -45},
		{"no quiet part, the plateau has a pitch", []run{speech, {40, -45, 0.8, false}}, FloorDBFS},
		{"no quiet part, dips that go on falling", []run{speech, {15, -45, 0, false}, {15, -50, 0, false}, {10, -55, 0, false}}, FloorDBFS},
		{"too short for a plateau", []run{{100, -25, 0.9, false}, {40, -45, 0, false}}, FloorDBFS},
		{"consonants among the quiet", []run{speech, {40, -37, 0.1, true}, {60, -40, 0.1, false}}, -40},
		{"noise that set in later", []run{speech, {60, -60, 0, true}, {90, -40, 0, true}}, -40},
	} {
		var m noiseMeter
		for _, r := range test.runs {
			f := frame{power: math.Pow(10, r.dBFS/10), periodicity: r.periodicity}
			for range r.frames {
				m.addFrame(&f, f.power)
				if r.quiet {
					m.quiet.add(f.power)
				}
			}
		}
		got, _ := m.floorDBFS()
		if got == nil {
			got = new(float64(FloorDBFS))
		}
		if math.Abs(*got-test.want) > 0.01 {
			t.Errorf("%s: %.2f dBFS, want %g", test.name, *got, test.want)
		}
	}
}

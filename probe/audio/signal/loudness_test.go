package signal

import (
	"math"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// part is a section of a test signal of EBU Tech 3341: stereo, in phase, 1 kHz
// unless stated otherwise.
type part struct{ seconds, peakDBFS float64 }

const silent = -200

func stereoTone(rateHz int, parts ...part) []float32 {
	var samples []float32
	n := 0
	for _, p := range parts {
		amplitude := math.Pow(10, p.peakDBFS/20)
		for range int(math.Round(p.seconds * float64(rateHz))) {
			x := float32(amplitude * math.Sin(2*math.Pi*1000*float64(n)/float64(rateHz)))
			samples = append(samples, x, x)
			n++
		}
	}
	return samples
}

func repeat(times int, parts ...part) (all []part) {
	for range times {
		all = append(all, parts...)
	}
	return all
}

func wantLUFS(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: not measured, want %.1f LUFS", what, want)
	} else if math.Abs(*got-want) > 0.1 {
		t.Errorf("%s: %.3f LUFS, want %.1f ± 0.1", what, *got, want)
	}
}

var loudnessRates = []int{11025, 16000, 48000, 96000}

// TestLoudnessEBU3341Integrated covers EBU Tech 3341, table 1, cases 1 to 5.
func TestLoudnessEBU3341Integrated(t *testing.T) {
	rates := loudnessRates
	if need.Short() {
		rates = rates[:2]
	}
	for _, rate := range rates {
		for name, c := range map[string]struct {
			parts []part
			want  float64
			all   bool // M and S must have the same value
		}{
			"case 1": {[]part{{20, -23}}, -23, true},
			"case 2": {[]part{{20, -33}}, -33, true},
			"case 3": {[]part{{10, -36}, {60, -23}, {10, -36}}, -23, false},
			"case 4": {[]part{{10, -72}, {10, -36}, {60, -23}, {10, -36}, {10, -72}}, -23, false},
			"case 5": {[]part{{20, -26}, {20.1, -20}, {20, -26}}, -23, false},
		} {
			m := loudnessOf(rate, stereoTone(rate, c.parts...))
			wantLUFS(t, name+" I", m.integrated(), c.want)
			if c.all {
				momentary, shortTerm := m.maxima()
				wantLUFS(t, name+" M", momentary, c.want)
				wantLUFS(t, name+" S", shortTerm, c.want)
			}
		}
	}
}

func loudnessOf(rateHz int, interleaved []float32) *loudnessMeter {
	a, err := NewAnalyzer(Format{rateHz, 2})
	if err != nil {
		panic(err)
	}
	a.Write(interleaved)
	return a.loudness
}

// TestLoudnessEBU3341ShortTermSteady is case 9 of EBU Tech 3341: the short-term loudness is constantly -23.0 after
// 3 s.
func TestLoudnessEBU3341ShortTermSteady(t *testing.T) {
	for _, rate := range []int{44100, 48000} {
		a, _ := NewAnalyzer(Format{rate, 2})
		samples := stereoTone(rate, repeat(5, part{1.34, -20}, part{1.66, -30})...)
		for at := 0; at < len(samples); at += rate / 50 {
			a.Write(samples[at:min(len(samples), at+rate/50)])
			if m := a.loudness; m.step >= shortTermSteps {
				wantLUFS(t, "case 9 S", new(lufs(m.meanOfLast(shortTermSteps))), -23)
			}
		}
		wantLUFS(t, "case 9 max S", a.Analysis().ShortTermMaxLUFS, -23)
	}
}

// TestLoudnessEBU3341ShortTermMaximum is case 10 of EBU Tech 3341: a burst of 3 s is detected at any position.
func TestLoudnessEBU3341ShortTermMaximum(t *testing.T) {
	for i := range 20 {
		samples := stereoTone(48000, part{float64(i) * 0.15, silent}, part{3, -23}, part{1, silent})
		_, shortTerm := loudnessOf(48000, samples).maxima()
		wantLUFS(t, "case 10 max S", shortTerm, -23)
	}
}

// TestLoudnessEBU3341MomentarySteady is case 12 of EBU Tech 3341: the momentary loudness is constantly -23.0 after
// 1 s.
func TestLoudnessEBU3341MomentarySteady(t *testing.T) {
	samples := stereoTone(48000, repeat(25, part{0.18, -20}, part{0.22, -30})...)
	a, _ := NewAnalyzer(Format{48000, 2})
	for at := 0; at < len(samples); at += 960 {
		a.Write(samples[at : at+960])
		if m := a.loudness; m.step >= stepsPerSecond {
			wantLUFS(t, "case 12 M", new(lufs(m.meanOfLast(momentarySteps))), -23)
		}
	}
	wantLUFS(t, "case 12 max M", a.Analysis().MomentaryMaxLUFS, -23)
}

// TestLoudnessEBU3341MomentaryMaximum is case 13 of EBU Tech 3341: a burst of 400 ms is detected at any position.
func TestLoudnessEBU3341MomentaryMaximum(t *testing.T) {
	for i := range 20 {
		samples := stereoTone(48000, part{float64(i) * 0.02, silent}, part{0.4, -23}, part{1, silent})
		momentary, _ := loudnessOf(48000, samples).maxima()
		wantLUFS(t, "case 13 max M", momentary, -23)
	}
}

func TestLoudnessMonoCountsAsDualMono(t *testing.T) {
	stereo := stereoTone(48000, part{5, -23})
	mono := make([]float32, len(stereo)/2)
	for i := range mono {
		mono[i] = stereo[2*i]
	}
	wantLUFS(t, "mono I", analyse(Format{48000, 1}, mono).IntegratedLUFS, -23)
}

func TestLoudnessNeedsEnoughSignal(t *testing.T) {
	short := analyse(Format{48000, 2}, stereoTone(48000, part{0.39, -23}))
	if short.MomentaryMaxLUFS != nil || short.ShortTermMaxLUFS != nil || short.IntegratedLUFS != nil {
		t.Error("a loudness from less than 400 ms")
	}
	if r := analyse(Format{48000, 2}, stereoTone(48000, part{2.9, -23})); r.ShortTermMaxLUFS != nil || r.IntegratedLUFS == nil {
		t.Errorf("after 2.9 s: S %v, I %v; want only I", r.ShortTermMaxLUFS, r.IntegratedLUFS)
	}
	if r := analyse(Format{48000, 2}, make([]float32, 480000)); r.IntegratedLUFS != nil {
		t.Errorf("digital silence has an integrated loudness of %g, want none", *r.IntegratedLUFS)
	}
}

// TestKWeightingCoefficients: at 48 kHz the derived filters equal those published in BS.1770-5.
func TestKWeightingCoefficients(t *testing.T) {
	w := newKWeighting(48000)
	for name, pair := range map[string][2]float64{
		"shelf b0": {w.shelf.b0, 1.53512485958697}, "shelf b1": {w.shelf.b1, -2.69169618940638},
		"shelf b2": {w.shelf.b2, 1.19839281085285}, "shelf a1": {w.shelf.a1, -1.69065929318241},
		"shelf a2": {w.shelf.a2, 0.73248077421585}, "high pass a1": {w.highPass.a1, -1.99004745483398},
		"high pass a2": {w.highPass.a2, 0.99007225036621},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s = %.14f, want %.14f", name, pair[0], pair[1])
		}
	}
}

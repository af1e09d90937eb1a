package audio

import (
	"math"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

func TestChime(t *testing.T) {
	sound := chime()
	peak, power := 0.0, 0.0
	for i, x := range sound {
		peak = max(peak, math.Abs(float64(x)))
		if i > len(sound)/4 && i < 3*len(sound)/4 {
			power += float64(x) * float64(x)
		}
	}
	level := 10 * math.Log10(power/float64(len(sound)/2))
	if math.Abs(level-chimeDBFS) > 0.3 || peak > 0.3 {
		t.Errorf("level %.2f dBFS, peak %.3f", level, peak)
	}
	if sound[0] != 0 || math.Abs(float64(sound[len(sound)-1])) > 1e-4 {
		t.Errorf("it clicks: from %v to %v", sound[0], sound[len(sound)-1])
	}
}

// Apart from its own moment the sound must not look like itself, or an echo's
// delay would be wrong.
func TestChimeIsLikeItselfOnlyOnce(t *testing.T) {
	sound := chime()
	for _, ms := range []int{5, 20, 100, 300, 700} {
		shift := ms * capture.RateHz / 1000
		cross, own := 0.0, 0.0
		for i := range sound[shift:] {
			cross += float64(sound[i]) * float64(sound[i+shift])
		}
		for _, x := range sound {
			own += float64(x) * float64(x)
		}
		if r := math.Abs(cross / own); r > 0.5 {
			t.Errorf("shifted by %d ms it correlates by %.2f", ms, r)
		}
	}
	for _, ms := range []int{0, 37, 180, 640} {
		heard := append(make([]float32, ms*capture.RateHz/1000), sound...)
		heard = append(heard, make([]float32, capture.RateHz)...)
		for i := range heard {
			heard[i] = heard[i]/10 + float32(0.001*math.Sin(float64(i)*float64(i)))
		}
		e := signal.Echo(sound, heard, capture.RateHz)
		if !e.Heard() || math.Abs(e.LagMS-float64(ms)) > 0.1 || math.Abs(e.ReturnDB+20) > 0.2 {
			t.Errorf("%d ms, -20 dB: %+v", ms, e)
		}
	}
}

func TestChimeWithASlip(t *testing.T) {
	sound := chime()
	heard := append(make([]float32, 4800), sound[:28000]...)
	heard = append(heard, make([]float32, 960)...)
	heard = append(heard, sound[28000:]...)
	heard = append(heard, make([]float32, capture.RateHz)...)
	e := findChime(sound, heard)
	if !e.Heard() || math.Abs(e.LagMS-100) > 21 || math.Abs(e.ReturnDB) > 0.5 {
		t.Errorf("%+v", e)
	}
	if e := findChime(sound, make([]float32, capture.RateHz)); e.Heard() {
		t.Errorf("heard in silence: %+v", e)
	}
}

package signal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
)

// creak simulates the voice of an old man over a quiet room: pulses through two
// formants in syllables of 0.3 s, with a jitter of 10 % of the period and a shimmer
// of 3 dB.
func creak(rateHz int, seconds, pitchHz float64) []float32 {
	random := rand.New(rand.NewPCG(1, uint64(pitchHz)))
	rate := float64(rateHz)
	samples := make([]float32, int(seconds*rate))
	next, since, gain := 0.0, math.Inf(1), 0.0
	for i := range samples {
		t := float64(i) / rate
		if t >= next {
			next += (1 + 0.1*(2*random.Float64()-1)) / (pitchHz * (1 - 0.1*math.Sin(2*math.Pi*t)))
			since, gain = 0, 0.7+0.6*random.Float64()
		}
		x := gain * (math.Exp(-since*350)*math.Sin(2*math.Pi*550*since) + 0.5*math.Exp(-since*500)*math.Sin(2*math.Pi*1400*since))
		since += 1 / rate
		envelope := 0.0
		if in := math.Mod(t, 0.4); in < 0.3 {
			envelope = math.Sin(math.Pi * in / 0.3)
		}
		samples[i] = float32(0.3*envelope*x + 0.0005*random.NormFloat64())
	}
	return samples
}

// TestDeepAndRoughVoicesAreSpeech: the deeper and rougher a voice is, the less successive
// periods resemble each other. Such voices are detected anyway, at any rate and frame position.
func TestDeepAndRoughVoicesAreSpeech(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		for _, pitch := range []float64{48, 55, 65, 80, 100} {
			samples := creak(rate, 6, pitch)
			for shift := range 4 {
				r := analyse(Format{rate, 1}, samples[shift*rate/200:])
				if r.SpeechMS < 0.5*r.DurationMS {
					t.Errorf("%g Hz at %d Hz, begun %d ms later: %.0f ms of speech, want at least %.0f", pitch, rate, 5*shift, r.SpeechMS, 0.5*r.DurationMS)
				}
			}
		}
	}
}

// TestNoiseHasNoPulses: noise has no pulses, at any rate.
func TestNoiseHasNoPulses(t *testing.T) {
	for _, rate := range []float64{8000, 8820, 11025, 15999} {
		random := rand.New(rand.NewPCG(3, uint64(rate)))
		p := newPulseTrain(rate)
		frame := make([]float64, int(0.02*rate))
		low, above := 0.0, 0
		const frames = 4000
		for range frames {
			for i := range frame {
				low = 0.9*low + random.NormFloat64()
				frame[i] = low
			}
			p.write(frame)
			likeness, hz := p.find()
			if likeness >= minPulsing {
				above++
			}
			if likeness < 0 || likeness > 1 || likeness > 0 && (hz < pulseLowestHz*0.95 || hz > pulseHighestHz*1.1) {
				t.Fatalf("at %g Hz: %.2f of %.1f Hz, want nothing, or up to 1 within the range of rates", rate, likeness, hz)
			}
		}
		if above > frames/1000 {
			t.Errorf("at %g Hz %d of %d frames of noise have pulses, want at most %d", rate, above, frames, frames/1000)
		}
	}
}

// TestPulseRate: the detected rate is that of the pulses, or half of it, within the resolution
// of the envelope.
func TestPulseRate(t *testing.T) {
	for _, hz := range []float64{46, 60, 75, 90, 120} {
		p := newPulseTrain(8000)
		frame := make([]float64, 160)
		at := 0
		var likeness, found float64
		for range 10 {
			for i := range frame {
				_, phase := math.Modf(float64(at) * hz / 8000)
				frame[i] = math.Exp(-8*phase) * math.Sin(2*math.Pi*700*phase/hz)
				at++
			}
			p.write(frame)
			likeness, found = p.find()
		}
		if likeness < 0.8 || math.Abs(found/hz-1) > 0.05 && math.Abs(2*found/hz-1) > 0.05 {
			t.Errorf("%g Hz: got similarity %.2f, rate %.1f Hz; want at least 0.8 at this rate or half of it", hz, likeness, found)
		}
	}
}

// TestIntermittentNoisesAreNotSpeech: sounds that buzz, ring or tick intermittently are not a
// voice, nor are sounds that rise and fall without a pitch.
func TestIntermittentNoisesAreNotSpeech(t *testing.T) {
	const rate = 16000
	random := rand.New(rand.NewPCG(9, 9))
	harmonics := func(hz float64, count int) func(t float64) float64 {
		return func(t float64) float64 {
			x := 0.0
			for h := 1; h <= count; h++ {
				x += math.Sin(2*math.Pi*hz*float64(h)*t+float64(h*h)) / float64(h)
			}
			return 0.05 * x
		}
	}
	hiss := func(float64) float64 { return 0.05 * random.NormFloat64() }
	for name, s := range map[string]struct {
		sound      func(t float64) float64
		everyS, on float64
	}{
		"mains buzz":        {harmonics(50, 30), 2, 1},
		"rectified buzz":    {harmonics(100, 20), 4, 2},
		"telephone shaking": {harmonics(170, 12), 1, 0.4},
		"telephone ringing": {func(t float64) float64 { return 0.05 * (math.Sin(2*math.Pi*440*t) + math.Sin(2*math.Pi*480*t)) }, 3, 1},
		"beeps":             {harmonics(1000, 1), 1, 0.3},
		"hiss":              {hiss, 0.4, 0.2},
		"keys":              {hiss, 0.15, 0.006},
	} {
		samples := make([]float32, 6*rate)
		for i := range samples {
			at := float64(i) / rate
			x := 0.0004 * random.NormFloat64()
			if math.Mod(at, s.everyS) < s.on {
				x += s.sound(at)
			}
			samples[i] = float32(x)
		}
		if r := analyse(Format{rate, 1}, samples); r.SpeechMS > 100 {
			t.Errorf("%s: %.0f ms of speech, want at most 100", name, r.SpeechMS)
		}
	}
}

// TestSyllabicTime: a whisper rises and falls like a voice, although no voice is detected in
// it. Keys do not, and a fan does so only once, when it is switched on.
func TestSyllabicTime(t *testing.T) {
	const rate = 16000
	random := rand.New(rand.NewPCG(4, 4))
	shaped := func(envelope func(t float64) float64) Analysis {
		samples := make([]float32, 6*rate)
		for i := range samples {
			samples[i] = float32((0.0004 + 0.05*envelope(float64(i)/rate)) * random.NormFloat64())
		}
		return analyse(Format{rate, 1}, samples)
	}
	whisper := shaped(func(t float64) float64 { return math.Pow(max(0, math.Sin(2*math.Pi*2*t)), 2) })
	if whisper.SyllabicMS < 1500 || whisper.SpeechMS > 100 {
		t.Errorf("a whisper: %.0f ms as syllables, %.0f ms of speech; want at least 1500, at most 100", whisper.SyllabicMS, whisper.SpeechMS)
	}
	for name, envelope := range map[string]func(t float64) float64{
		"a fan":  func(float64) float64 { return 1 },
		"a room": func(float64) float64 { return 0 },
		"keys":   func(t float64) float64 { return math.Exp(-math.Mod(t, 0.3) / 0.004) },
		"a fan switched on": func(t float64) float64 {
			if t > 2 {
				return 1
			}
			return 0
		},
	} {
		if r := shaped(envelope); r.SyllabicMS > 600 {
			t.Errorf("%s: %.0f ms as syllables, want at most 600", name, r.SyllabicMS)
		}
	}
}

// TestHumThatBeginsLater: hum that begins during speech without pauses is detected, at the
// latest at the end of the recording.
func TestHumThatBeginsLater(t *testing.T) {
	const rate = 48000
	for _, pitch := range []float64{95, 128, 210} {
		samples := continuousVoice(rate, 6, pitch)
		if r := analyse(Format{rate, 1}, samples); r.HumHz != nil {
			t.Errorf("a voice of %g Hz alone: hum of %s Hz, %s dB above; want no hum", pitch, show(r.HumHz), show(r.HumAboveDB))
		}
		half := len(samples) / 2
		for _, hz := range []float64{50, 60, 150} {
			humming := append(append([]float32(nil), samples[:half]...), addTone(samples[half:], rate, hz, -40)...)
			if r := analyse(Format{rate, 1}, humming); r.HumHz == nil || math.Abs(*r.HumDBFS+40) > 3 {
				t.Errorf("a voice of %g Hz, %g Hz at -40 dBFS from the middle on: hum of %s Hz at %s dBFS, want some at about -40", pitch, hz, show(r.HumHz), show(r.HumDBFS))
			}
		}
	}
}

// continuousVoice returns a voice without pauses: its level falls by only 12 dB between
// syllables.
func continuousVoice(rateHz int, seconds, pitchHz float64) []float32 {
	random := rand.New(rand.NewPCG(5, 5))
	samples := make([]float32, int(seconds*float64(rateHz)))
	phase := 0.0
	for i := range samples {
		t := float64(i) / float64(rateHz)
		f0 := pitchHz * (1 + 0.12*math.Sin(2*math.Pi*0.6*t) + 0.03*math.Sin(2*math.Pi*2.3*t))
		phase += 2 * math.Pi * f0 / float64(rateHz)
		x := 0.0
		formants := signaltest.Formants(t)
		for h := 1.0; h*f0 < 4000; h++ {
			x += formants(h*f0) * math.Sin(h*phase+h*h)
		}
		envelope := 0.25 + 0.75*math.Pow(math.Sin(math.Pi*t/0.25), 2)
		samples[i] = float32(0.2*envelope*x + 0.0003*random.NormFloat64())
	}
	return samples
}

func BenchmarkPulses(b *testing.B) {
	for _, rate := range []float64{8000, 15999} {
		b.Run(fmt.Sprintf("%gHz", rate), func(b *testing.B) {
			p := newPulseTrain(rate)
			frame := make([]float64, int(0.02*rate))
			for i := range frame {
				frame[i] = math.Sin(float64(i * i))
			}
			for b.Loop() {
				p.write(frame)
				p.find()
			}
		})
	}
}

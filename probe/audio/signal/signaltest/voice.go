// Package signaltest makes sound for tests.
package signaltest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// Voice returns a simple synthetic voice: pulses of a gliding pitch through
// three formants, in syllables of 180 ms with pauses of 70 ms, and a pause of half
// a second in every two, over a background at -60 dB. It suffices for tests that do
// not depend on real speech, requires no program, and has frequencies up to 11 kHz.
func Voice(rateHz int, seconds, pitchHz, level float64) []float32 {
	random := rand.New(rand.NewPCG(7, 7))
	rate := float64(rateHz)
	samples := make([]float32, int(seconds*rate))
	phase := 0.0
	for i := range samples {
		t := float64(i) / rate
		inSyllable := math.Mod(t, 0.25)
		envelope := 0.0
		if inSyllable < 0.18 && math.Mod(t, 2) < 1.5 {
			envelope = math.Pow(math.Sin(math.Pi*inSyllable/0.18), 2)
		}
		f0 := pitchHz * (1 + 0.15*math.Sin(2*math.Pi*0.7*t) + 0.2*inSyllable)
		phase += 2 * math.Pi * f0 / rate
		x := 0.0
		formants := Formants(t)
		for h := 1.0; h*f0 < min(11000, rate*0.45); h++ {
			x += formants(h*f0) * math.Sin(h*phase+h*h)
		}
		samples[i] = float32(level * (envelope*x + 0.0005*random.NormFloat64()))
	}
	return samples
}

// Formants returns the magnitude, by frequency in hertz, of three moving resonances with a
// falling source spectrum, t seconds after the beginning.
func Formants(t float64) func(hz float64) float64 {
	move := math.Sin(2 * math.Pi * 1.3 * t)
	first, second := 500+150*move, 1500+400*move
	return func(hz float64) float64 {
		return 0.4*resonance(hz, first, 90) + 0.25*resonance(hz, second, 150) +
			0.12*resonance(hz, 2600, 250) + 0.002*resonance(hz, 6000, 3000)
	}
}

func resonance(hz, centre, width float64) float64 {
	off := (hz - centre) / width
	return 1 / (1 + off*off)
}

// WAV returns a file with one channel of samples, 16 bits each. Multiples of 1/32768 remain exact.
func WAV(rateHz int, samples []float32) []byte {
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(36+2*len(samples)))
	head = binary.LittleEndian.AppendUint32(head, uint32(rateHz))
	head = binary.LittleEndian.AppendUint32(head, uint32(2*rateHz))
	head = append(head, 2, 0, 16, 0)
	head = append(head, "data"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(2*len(samples)))
	for _, x := range samples {
		head = binary.LittleEndian.AppendUint16(head, uint16(int16(min(32767, math.Round(float64(max(-1, x))*32768)))))
	}
	return head
}

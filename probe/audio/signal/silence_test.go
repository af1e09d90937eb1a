package signal

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSilenceAtTheEnd: a microphone is muted 1.5 s before the end, within a word.
func TestSilenceAtTheEnd(t *testing.T) {
	const rate = 48000
	muted := addNoise(syllables(rate, 5.5, 130, 0.1), -65)
	clear(muted[4*rate:])
	noise := func(rms float64) []float32 {
		random := rand.New(rand.NewPCG(7, 8))
		sound := make([]float32, len(muted))
		for i := range sound {
			sound[i] = float32(rms * random.NormFloat64())
		}
		return sound
	}
	mixed := func(with []float32) []float32 {
		sound := slices.Clone(muted)
		for i := range sound {
			sound[i] += with[i]
		}
		return sound
	}
	converter := mixed(noise(2.5e-5)) // -92 dBFS
	for name, c := range map[string]struct {
		channels [][]float32
		want     float64 // ms
	}{
		"exact zeros":                    {[][]float32{muted}, 1500},
		"noise of the converter":         {[][]float32{converter}, 1500},
		"its DC offset remains":          {[][]float32{addOffset(converter, 0.001)}, 1500},
		"a large DC offset remains":      {[][]float32{addOffset(converter, -0.02)}, 1500},
		"the other input is unused":      {[][]float32{converter, noise(3e-4)}, 1500},
		"the other input hears the room": {[][]float32{noise(3e-4), converter}, 1500},
		"the room remains":               {[][]float32{mixed(noise(3e-4))}, 0},
		"hum remains":                    {[][]float32{addTone(slices.Clone(muted), rate, 50, -60)}, 0},
		"one of two channels remains":    {[][]float32{converter, mixed(noise(3e-4))}, 0},
		"offset, and the room remains":   {[][]float32{addOffset(mixed(noise(3e-4)), 0.001)}, 0},
	} {
		r := analyse(Format{RateHz: rate, Channels: len(c.channels)}, interleave(c.channels))
		if r.EndSilenceMS < c.want-40 || r.EndSilenceMS > c.want+40 || c.want > 0 && !r.EndSilenceUnlike {
			t.Errorf("%s: got %g ms, unlike %t; want %g ms, unlike %t", name, r.EndSilenceMS, r.EndSilenceUnlike, c.want, c.want > 0)
		}
	}
}

// TestSilenceAfterLittleSpeech: after a single short word no channel counts as the voice's yet. An input without any
// sound says nothing about the end of the word.
func TestSilenceAfterLittleSpeech(t *testing.T) {
	const rate = 48000
	word := addNoise(append(make([]float32, rate), continuousVoice(rate, 0.16, 130)...), -73)
	word = append(word, make([]float32, rate*3/2)...)
	faint := addNoise(make([]float32, len(word)), -85)
	for name, c := range map[string]struct {
		channels [][]float32
		want     float64 // ms
	}{
		"alone":                      {[][]float32{word}, 1500},
		"the other input is dead":    {[][]float32{word, make([]float32, len(word))}, 1500},
		"the other input is unused":  {[][]float32{faint, word}, 1500},
		"no input carries any sound": {[][]float32{faint, faint}, 0},
	} {
		r := analyse(Format{RateHz: rate, Channels: len(c.channels)}, interleave(c.channels))
		if r.SpeechMS >= 300 {
			t.Fatalf("%s: %g ms of speech, want less than 300", name, r.SpeechMS)
		}
		if r.EndSilenceMS < c.want-40 || r.EndSilenceMS > c.want+40 || r.EndSilenceUnlike != (c.want > 0) {
			t.Errorf("%s: got %g ms, unlike %t; want %g ms, unlike %t", name, r.EndSilenceMS, r.EndSilenceUnlike, c.want, c.want > 0)
		}
	}
}

// TestSilenceAfterALateStart: zeros at the start are not the pause of a noise gate if the microphone then transmits
// the noise of the room. A noise suppressor transmits it only before the zeros, until it has adapted.
func TestSilenceAfterALateStart(t *testing.T) {
	const rate = 48000
	for name, c := range map[string]struct {
		adapting float64 // room noise before the zeros, in s
		room     float64 // room noise after them, in s
		want     bool
	}{
		"Bluetooth":                         {0, 1, true},
		"a noise gate":                      {0, 0, false},
		"a suppressor after its adaptation": {0.6, 0, false},
	} {
		sound := addNoise(make([]float32, int(c.adapting*rate)), -73)
		sound = append(sound, make([]float32, rate*13/10)...)
		sound = append(sound, addNoise(make([]float32, int(c.room*rate)), -73)...)
		voice := addNoise(continuousVoice(rate, 3, 130), -73) // a gate stays open
		// Mute between two words, where nothing loud is interrupted.
		sound = append(sound, voice...)
		sound = append(sound, addNoise(make([]float32, rate/10), -73)...)
		sound = append(sound, make([]float32, rate*3/2)...)
		r := analyse(Format{RateHz: rate, Channels: 1}, sound)
		if r.EndSilenceMS < 1450 || r.EndSilenceUnlike != c.want {
			t.Errorf("%s: got %g ms, unlike %t; want 1500 ms, unlike %t", name, r.EndSilenceMS, r.EndSilenceUnlike, c.want)
		}
	}
}

func addOffset(samples []float32, offset float32) []float32 {
	samples = slices.Clone(samples)
	for i := range samples {
		samples[i] += offset
	}
	return samples
}

func interleave(channels [][]float32) (all []float32) {
	for i := range channels[0] {
		for _, c := range channels {
			all = append(all, c[i])
		}
	}
	return all
}

package signal

import (
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// spoken returns text spoken by an espeak-ng voice, as mono samples at a rate.
func spoken(t *testing.T, voice, text string, rateHz int) []float32 {
	t.Helper()
	need.Programs(t, "espeak-ng", "ffmpeg")
	file := filepath.Join(t.TempDir(), "voice.wav")
	if out, err := exec.Command("espeak-ng", "-v", voice, "-w", file, text).CombinedOutput(); err != nil {
		t.Fatalf("espeak-ng -v %s: %v: %s", voice, err, out)
	}
	return decoded(t, file, rateHz)
}

func decoded(t *testing.T, file string, rateHz int) []float32 {
	t.Helper()
	bytes, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-ac", "1", "-ar", strconv.Itoa(rateHz), "-f", "f32le", "-").Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	samples := make([]float32, len(bytes)/4)
	for i := range samples {
		samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
	}
	return samples
}

const (
	german = "Guten Abend, mein Name ist Müller, ich spreche heute zum Haushalt der Stadt. " +
		"Bitte sagen Sie mir, ob Sie mich gut hören können. Vielen Dank, dann beginnen wir jetzt mit der Tagesordnung."
	english = "Good evening, my name is Smith, and I would like to speak about the budget of our town. " +
		"Please tell me whether you can hear me well. Thank you very much, then let us begin."
	italian = "Buonasera, mi chiamo Rossi e vorrei parlare del bilancio della nostra città. Mi sentite bene? Grazie mille."
	french  = "Bonsoir, je m'appelle Martin et je voudrais parler du budget de notre ville. Est-ce que vous m'entendez bien ? Merci."
)

var voices = []struct{ name, text string }{
	{"de", german}, {"de+f2", german}, {"de+f4", german}, {"de+m3", german}, {"de+m7", german},
	{"en-us", english}, {"en-gb+f3", english}, {"en+m1", english}, {"fr", french}, {"it", italian},
}

// microphone converts a clean voice to the signal of a healthy microphone: an
// active level of -26 dBFS, half a second before and after it, and a noise floor 40
// dB below.
func microphone(voice []float32, rateHz int) []float32 {
	gain := math.Pow(10, (-26-ActiveSpeechLevel(voice, rateHz).ActiveDBFS)/20)
	samples := make([]float32, len(voice)+rateHz)
	for i, x := range voice {
		samples[rateHz/2+i] = float32(gain) * x
	}
	return addNoise(samples, -66)
}

func show(x *float64) string {
	if x == nil {
		return "none"
	}
	return fmt.Sprintf("%.2f", *x)
}

func floatBytes(samples []float32) []byte {
	var bytes []byte
	for _, x := range samples {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(x))
	}
	return bytes
}

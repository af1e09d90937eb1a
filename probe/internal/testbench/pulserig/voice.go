//go:build unix

package pulserig

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// Texts to speak, long enough for a check, with pauses.
const (
	GermanText  = "Guten Tag, hier spricht die Abgeordnete. Ich bitte um das Wort zum Tagesordnungspunkt drei. Wir haben den Haushalt lange beraten, und ich danke der Verwaltung für ihre Arbeit. Jetzt stimmen wir ab."
	EnglishText = "Good evening, this is the councillor speaking. I would like to comment on item three of the agenda. We have discussed the budget for a long time, and I thank everyone for their work."
)

// Say creates a WAV file (48 kHz, mono, 16 bits) of spoken text with the active level
// levelDBFS of ITU-T P.56, using espeak-ng and sox. lang is a voice of espeak-ng such as
// "de" or "en".
func Say(tb testing.TB, text, lang string, levelDBFS float64) string {
	tb.Helper()
	need.Programs(tb, "espeak-ng", "sox")
	dir := tb.TempDir()
	spoken, wide, out := filepath.Join(dir, "spoken.wav"), filepath.Join(dir, "wide.wav"), filepath.Join(dir, "voice.wav")
	run(tb, "espeak-ng", "-v", lang, "-w", spoken, text)
	// -3 dB first, because resampling raises peaks.
	run(tb, "sox", "-v", "0.7", spoken, "-r", "48000", "-c", "1", "-b", "16", wide)
	level := ActiveLevel(tb, wide)
	run(tb, "sox", "-v", fmt.Sprint(math.Pow(10, (levelDBFS-level)/20)), wide, "-b", "16", out)
	return out
}

// ActiveLevel returns the active speech level of a mono WAV file in dBFS.
func ActiveLevel(tb testing.TB, path string) float64 {
	tb.Helper()
	samples, rateHz := read(tb, path)
	return signal.ActiveSpeechLevel(samples, rateHz).ActiveDBFS
}

// Samples returns the interleaved samples of a WAV file, for a Cable.
func Samples(tb testing.TB, path string) []float32 {
	tb.Helper()
	samples, _ := read(tb, path)
	return samples
}

func read(tb testing.TB, path string) (samples []float32, rateHz int) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	block := make([]float32, 4096)
	for {
		n, err := r.Read(block)
		samples = append(samples, block[:n]...)
		if errors.Is(err, io.EOF) {
			return samples, r.Format().RateHz
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v: %s", name, err, out)
	}
}

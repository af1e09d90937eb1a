//go:build unix

package audio

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestAnalyzePipe: ffmpeg writes a placeholder for the length into a pipe.
func TestAnalyzePipe(t *testing.T) {
	need.Programs(t, "ffmpeg")
	out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=1000:duration=1", "-c:a", "pcm_s24le", "-f", "wav", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Analyze(bytes.NewReader(out))
	if err != nil || *d.NativeRateHz != 44100 || math.Abs(*d.CapturedMS-1000) > 1 {
		t.Errorf("got %v, error %v; want 44100 Hz and about 1000 ms", d, err)
	}
}

func TestAnalyzeVoice(t *testing.T) {
	path := pulserig.Say(t, pulserig.GermanText, "de", -26)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := Analyze(f)
	if err != nil || math.Abs(*d.ActiveLevelDBFS+26) > 0.1 || *d.SpeechMS < 3000 {
		t.Errorf("got %v, error %v; want an active level of -26 dBFS and at least 3000 ms of speech", d, err)
	}
}

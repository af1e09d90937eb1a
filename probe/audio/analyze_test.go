package audio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/report"
)

// floatWAV returns a WAV file of 32-bit floats.
func floatWAV(rate uint32, channels uint16, samples ...float32) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x03\x00")
	for _, v := range []any{channels, rate, rate * uint32(channels) * 4, channels * 4, uint16(32)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(4*len(samples)))
	_ = binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

func sine(rate, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(0.5 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate)))
	}
	return s
}

func TestAnalyzeSine(t *testing.T) {
	d, err := Analyze(bytes.NewReader(floatWAV(48000, 1, sine(48000, 96000)...)))
	if err != nil {
		t.Fatal(err)
	}
	if d.State != report.CaptureComplete || *d.CapturedMS != 2000 || *d.NativeRateHz != 48000 || *d.NativeChannels != 1 {
		t.Errorf("got state %q, %v ms, %v Hz, %v channels; want complete, 2000 ms, 48000 Hz, 1 channel", d.State, *d.CapturedMS, *d.NativeRateHz, *d.NativeChannels)
	}
	if math.Abs(*d.RMSDBFS+9.03) > 0.05 || math.Abs(*d.PeakDBFS+6.02) > 0.05 {
		t.Errorf("RMS %v, peak %v; want -9.03, -6.02", *d.RMSDBFS, *d.PeakDBFS)
	}
	if d.OSMuted != nil || d.FirstCallbackMS != nil || d.Microphones != nil {
		t.Error("a file has no operating system")
	}
}

func TestAnalyzeBadInput(t *testing.T) {
	whole := floatWAV(48000, 1, sine(48000, 480)...)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"not a WAV":  {[]byte("<html>"), wav.ErrNotWAV},
		"no samples": {floatWAV(48000, 1), ErrEmpty},
		"0 channels": {floatWAV(48000, 0, 1), wav.ErrFormat},
		"no sound":   {whole[:44], wav.ErrTruncated},
	} {
		if d, err := Analyze(bytes.NewReader(c.file)); !errors.Is(err, c.want) || d != nil {
			t.Errorf("%s: got %v, error %v; want no data and error %v", name, d, err, c.want)
		}
	}
	if d, err := Analyze(bytes.NewReader(floatWAV(1, 1, 0, 0))); err == nil || d != nil || !strings.Contains(err.Error(), "1 Hz") {
		t.Errorf("1 Hz: got data %v, error %v; want no data and an error with \"1 Hz\"", d, err)
	}
	d, err := Analyze(bytes.NewReader(whole[:44+4*240]))
	if !errors.Is(err, wav.ErrTruncated) || d == nil || *d.CapturedMS != 5 {
		t.Errorf("cut off: %v, %v; want 5 ms and %v", d, err, wav.ErrTruncated)
	}
	broken := errors.New("disk on fire")
	if _, err := Analyze(io.MultiReader(bytes.NewReader(whole[:100]), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("a failing disk: %v, want %v", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAnalyzeNonFiniteSamples(t *testing.T) {
	samples := sine(48000, 48000)
	samples[100], samples[2000], samples[3000] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	d, err := Analyze(bytes.NewReader(floatWAV(48000, 1, samples...)))
	if err != nil || d.RMSDBFS == nil || math.Abs(*d.RMSDBFS+9.03) > 0.1 {
		t.Fatalf("got %v, error %v; want an RMS of -9.03 dBFS", d, err)
	}
	if _, err := json.Marshal(d); err != nil {
		t.Errorf("encode: %v", err)
	}
}

func FuzzAnalyze(f *testing.F) {
	f.Add(floatWAV(48000, 2, sine(48000, 64)...))
	f.Add(floatWAV(8000, 1, float32(math.NaN()), float32(math.MaxFloat32)))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Analyze(bytes.NewReader(b))
		if d == nil && err == nil {
			t.Error("got neither data nor an error")
		}
	})
}

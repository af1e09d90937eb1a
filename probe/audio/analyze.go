package audio

import (
	"errors"
	"fmt"
	"io"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ErrEmpty means a WAV file without a single sample.
var ErrEmpty = errors.New("the WAV file holds no sound")

// fileBackend is what stands in Backend when the sound came from a file.
const fileBackend = "file"

// ResultOf is the result of audio.input that an analysed file stands for.
func ResultOf(d *report.AudioInput) report.Result {
	return report.Result{Name: report.ProbeAudioInput, Version: inputVersion, Status: coarseStatus(d), Data: d}
}

// Analyze measures a WAV file (PCM, floats, A-law or mu-law, see package wav) as
// audio.input measures a microphone. It reads the file in blocks. For a file
// that is cut off it returns what the present part gave AND an error wrapping
// wav.ErrTruncated; other errors, wav.ErrNotWAV and wav.ErrFormat among them,
// come without data.
func Analyze(r io.Reader) (*report.AudioInput, error) {
	file, err := wav.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("analyse file: %w", err)
	}
	f := file.Format()
	a, err := signal.NewAnalyzer(signal.Format{RateHz: f.RateHz, Channels: f.Channels})
	if err != nil {
		return nil, fmt.Errorf("analyse file: %w", err)
	}
	heard, err := stream(file, a, f.Channels)
	truncated := errors.Is(err, wav.ErrTruncated)
	switch {
	case err != nil && (!truncated || !heard):
		return nil, fmt.Errorf("analyse file: %w", err)
	case !heard:
		return nil, fmt.Errorf("analyse file: %w", ErrEmpty)
	}
	d := &report.AudioInput{
		State: report.CaptureComplete, Backend: fileBackend,
		NativeRateHz: new(f.RateHz), NativeChannels: new(f.Channels),
	}
	fillSignal(d, a.Analysis())
	if f.Coding == wav.Integer && f.Bits == 8 {
		// Between the words of a clean voice nothing reaches the smallest of 256 steps,
		// -48 dBFS: those zeros are no gaps.
		d.Dropouts, d.LongestGapMS = nil, nil
	}
	if truncated {
		return d, fmt.Errorf("analyse file: %w", err)
	}
	return d, nil
}

// stream writes the whole file into a and says whether there was any sound.
func stream(file *wav.Reader, a *signal.Analyzer, channels int) (heard bool, err error) {
	block := make([]float32, 4096*channels)
	for {
		n, err := file.Read(block)
		if n > 0 {
			heard = true
			a.Write(block[:n])
		}
		if errors.Is(err, io.EOF) {
			return heard, nil
		}
		if err != nil {
			return heard, err
		}
	}
}

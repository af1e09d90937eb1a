package audio

import (
	"errors"
	"fmt"
	"io"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ErrEmpty means that a WAV file contains no samples.
var ErrEmpty = errors.New("the WAV file contains no sound")

// fileBackend is the value of Backend when the samples came from a file.
const fileBackend = "file"

// ResultOf returns the audio.input result that corresponds to the analysis of a file.
func ResultOf(d *report.AudioInput) report.Result {
	return report.Result{Name: report.ProbeAudioInput, Version: inputVersion, Status: coarseStatus(d), Data: d}
}

// Analyze measures a WAV file (PCM, float, A-law or mu-law, see package wav) as
// audio.input measures a microphone. It reads the file in blocks. For a truncated
// file it returns the analysis of the samples that are present and an error that
// wraps wav.ErrTruncated. All other errors, including wav.ErrNotWAV and
// wav.ErrFormat, are returned without data.
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
	sound.Fill(d, a.Analysis())
	if f.Coding == wav.Integer && f.Bits == 8 {
		// With 8 bits the smallest step is -48 dBFS, so the pauses of a clean voice are
		// digital zeros. These zeros are not dropouts.
		d.Dropouts, d.LongestGapMS = nil, nil
	}
	if truncated {
		return d, fmt.Errorf("analyse file: %w", err)
	}
	return d, nil
}

// stream feeds the whole file into a and reports whether it contained any samples.
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

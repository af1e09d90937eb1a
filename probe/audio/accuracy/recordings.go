package accuracy

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// Recordings shorter than shortestRecordingS are joined with the next ones:
// a check is never so short.
const (
	shortestRecordingS = 5.0
	betweenRecordingsS = 0.4
)

// RecordingLevelsDBFS are the active levels at which each recording is judged.
func RecordingLevelsDBFS() []float64 { return []float64{-20, -26, -34} }

// JudgeRecordings has the WAV files of a folder judged as healthy voices, at
// each of RecordingLevelsDBFS in the noise of a quiet room 40 dB below; short
// ones are joined in the order of their names.
func JudgeRecordings(ctx context.Context, dir string, p diagnose.Profile) ([]Judged, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.wav"))
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no WAV files in %s", dir)
	}
	slices.Sort(files)
	var judged []Judged
	takes := map[int]*joined{} // by rate: only equal ones join
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		samples, format, err := readWAV(file)
		if err != nil {
			return nil, err
		}
		j := takes[format.RateHz]
		if j == nil {
			j = &joined{}
			takes[format.RateHz] = j
		}
		j.add(filepath.Base(file), firstChannel(samples, format.Channels), format.RateHz)
		if float64(len(j.samples)) < shortestRecordingS*float64(format.RateHz) {
			continue
		}
		for _, at := range RecordingLevelsDBFS() {
			one, err := j.judge(at, format.RateHz, p)
			if err != nil {
				return nil, fmt.Errorf("judge %s: %w", file, err)
			}
			judged = append(judged, one)
		}
		delete(takes, format.RateHz)
	}
	return judged, nil
}

// joined is one recording, or several short ones with pauses between them.
type joined struct {
	name    string
	samples []float64
}

func (j *joined) add(name string, samples []float64, rateHz int) {
	if j.name != "" {
		j.name += "+"
		j.samples = append(j.samples, make([]float64, int(betweenRecordingsS*float64(rateHz)))...)
	}
	j.name += name
	j.samples = append(j.samples, samples...)
}

func (j *joined) judge(activeDBFS float64, rateHz int, p diagnose.Profile) (Judged, error) {
	f := Fixture{Kind: "real voice", Strength: dBFS(activeDBFS), Speaker: Speaker{Voice: j.name}, RateHz: rateHz}
	t := &take{rateHz: rateHz, channels: [][]float64{slices.Clone(j.samples)}, random: f.random()}
	for _, s := range []step{level(activeDBFS), room(activeDBFS - 40), sixteenBits} {
		s(t)
	}
	input, err := audio.Analyze(bytes.NewReader(t.wav()))
	if err != nil {
		return Judged{}, err
	}
	return Judged{f, diagnosed(input, nil, p)}, nil
}

func firstChannel(interleaved []float64, channels int) []float64 {
	out := make([]float64, 0, len(interleaved)/channels)
	for i := 0; i+channels <= len(interleaved); i += channels {
		out = append(out, interleaved[i])
	}
	return out
}

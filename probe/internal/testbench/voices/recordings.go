package voices

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// Recordings shorter than shortestRecordingS are joined, because a check is never that
// short.
const (
	shortestRecordingS = 5.0
	betweenRecordingsS = 0.4
)

// treatments returns what is applied to each recording. With half a second of room noise
// before and after it, as in a check, it is diagnosed as a healthy voice at three levels,
// and with each fault that can be added.
func treatments() []Fixture {
	var all []Fixture
	add := func(f Fixture, steps ...step) {
		f.steps = slices.Concat([]step{lead(0.5, 0.5)}, steps, []step{sixteenBits})
		all = append(all, f)
	}
	for _, at := range []float64{-20, -26, -34} {
		add(Fixture{Kind: "real voice", Strength: dBFS(at)}, level(at), room(at-40))
	}
	heard := func(truth, kind, strength string, fault ...step) {
		add(Fixture{Truth: truth, Kind: kind, Strength: strength}, append([]step{level(-25), room(-64)}, fault...)...)
	}
	add(Fixture{Truth: "audio.too_quiet", Kind: "too quiet", Strength: "-44 dBFS"}, level(-44), room(-76))
	heard("audio.too_loud", "too loud, peaks held", "-14 dBFS", limiter(-14, -0.5))
	heard("audio.clipped", "clipped at full scale", "0.5 %", clip(0.5, 0))
	heard("audio.clipped_upstream", "clipped, then turned down", "1 %, -8 dB", clip(1, -8))
	heard("audio.hum", "buzz of 50 Hz", "-46 dBFS", hum(50, 4, -46))
	heard("audio.noise", "fan noise", "SNR 12 dB", noise(fan, -37))
	heard("audio.narrowband", "path of 8 kHz", "at the file's rate", telephone, noise(white, -80))
	heard("audio.dropouts", "gaps in the voice", "3 of 30 ms", gaps(3, 30))
	heard("audio.inverted_channel", "second channel inverted", "-2 dB", pair, inverted(2), room(-64))
	heard("audio.dc_offset", "offset", "0.04", offset(0.04))
	return all
}

// JudgeRecordings diagnoses the WAV files of a folder, unmodified and with faults. Short
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
	takes := map[int]*joined{} // by rate: only equal rates can be joined
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
		for _, f := range treatments() {
			one, err := j.judge(f, format.RateHz, p)
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

func (j *joined) judge(f Fixture, rateHz int, p diagnose.Profile) (Judged, error) {
	f.Speaker, f.RateHz = Speaker{Voice: j.name}, rateHz
	t := &take{rateHz: rateHz, channels: [][]float64{slices.Clone(j.samples)}, random: f.random()}
	for _, s := range f.steps {
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

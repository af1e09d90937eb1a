package voices

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Outcome is the diagnosis of a recording.
type Outcome struct {
	Input   *report.AudioInput
	Causes  []report.Cause
	Verdict report.Verdict
}

// Code returns the primary cause, or Healthy if there is nothing above severity info.
func (o Outcome) Code() string {
	for _, c := range o.Causes {
		if c.Primary {
			return c.Code
		}
	}
	return Healthy
}

// Judged is a fixture with its diagnosis.
type Judged struct {
	Fixture Fixture
	Outcome Outcome
}

// Right reports whether the true cause was named, or a healthy recording raised no warning.
func (j Judged) Right() bool { return j.Outcome.Code() == j.Fixture.Truth }

// Judge generates and diagnoses all fixtures with a profile, on all processors. The
// results are in the order of the fixtures.
func Judge(ctx context.Context, studio *Studio, fixtures []Fixture, p diagnose.Profile) ([]Judged, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	judged := make([]Judged, len(fixtures))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(fixtures) {
					return
				}
				outcome, err := fixtures[i].judge(ctx, studio, p)
				if err != nil {
					cancel(fmt.Errorf("judge %q: %w", fixtures[i].Name(), err))
					return
				}
				judged[i] = Judged{fixtures[i], outcome}
			}
		})
	}
	workers.Wait()
	return judged, context.Cause(ctx)
}

func (f Fixture) judge(ctx context.Context, studio *Studio, p diagnose.Profile) (Outcome, error) {
	t, err := f.record(ctx, studio)
	if err != nil {
		return Outcome{}, err
	}
	return f.judgeTake(t, p)
}

// judgeTake diagnoses a recording of the fixture, or a part of it.
func (f Fixture) judgeTake(t *take, p diagnose.Profile) (Outcome, error) {
	input, err := audio.Analyze(bytes.NewReader(t.wav()))
	if err != nil {
		return Outcome{}, err
	}
	input.OSMuted, input.OSVolumeDB = f.Device.Muted, f.Device.VolumeDB
	if f.Device.Bluetooth {
		input.IsBluetooth = new(true)
	}
	if f.Device.NativeRateHz > 0 {
		input.NativeRateHz = new(f.Device.NativeRateHz)
	}
	var output *report.AudioOutput
	if f.Loop != nil {
		output = f.Loop.hear(t)
	}
	return diagnosed(input, output, p), nil
}

// diagnosed applies the rules to a report of the microphone and, if present, of the
// loudspeaker.
func diagnosed(input *report.AudioInput, output *report.AudioOutput, p diagnose.Profile) Outcome {
	r := &report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK, Data: input}}}
	if output != nil {
		r.Probes = append(r.Probes, report.Result{Name: report.ProbeAudioOutput, Status: report.StatusOK, Data: output})
	}
	o := Outcome{Input: input}
	o.Causes, o.Verdict = diagnose.Diagnose(r, p)
	return o
}

// hear plays a sweep of 0.6 s and searches for it in the received signal with room noise.
func (l *Loop) hear(t *take) *report.AudioOutput {
	sweep := make([]float32, t.seconds(0.6))
	for i := range sweep {
		seconds := float64(i) / float64(t.rateHz)
		phase := 2 * math.Pi * (400*seconds + 0.5*(2400/0.6)*seconds*seconds)
		sweep[i] = float32(0.1 * math.Sin(math.Pi*seconds/0.6) * math.Sin(phase))
	}
	back := make([]float32, t.seconds(1.6))
	for i := range back {
		back[i] = float32(amplitude(-60) * t.random.NormFloat64())
	}
	delay := t.seconds(l.DelayMS / 1000)
	for i, x := range sweep {
		back[delay+i] += float32(amplitude(l.ReturnDB)) * x
	}
	echo := signal.Echo(sweep, back, t.rateHz)
	return &report.AudioOutput{LoopHeard: new(echo.Heard()), LoopDelayMS: new(echo.LagMS), EchoReturnDB: new(echo.ReturnDB)}
}

// wav returns the take as a 16-bit WAV file.
func (t *take) wav() []byte {
	channels, samples := len(t.channels), t.interleaved()
	head := []any{
		[]byte("RIFF"), uint32(36 + 2*len(samples)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(channels),
		uint32(t.rateHz), uint32(2 * channels * t.rateHz), uint16(2 * channels), uint16(16), []byte("data"), uint32(2 * len(samples)),
	}
	var file bytes.Buffer
	for _, field := range head {
		binary.Write(&file, binary.LittleEndian, field) // bytes.Buffer never fails
	}
	out := file.AvailableBuffer()
	for _, x := range samples {
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(x*32768)))
	}
	file.Write(out)
	return file.Bytes()
}

package main

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/report"
)

// browserBackend is report.AudioInput.Backend of the sound system of a browser.
const browserBackend = "browser"

// ear listens to a microphone whose channels the browser has mixed to one, as it does for a
// conference.
type ear struct {
	rateHz    int
	warm      sound.WarmUp
	analyzer  *signal.Analyzer
	listening sound.Listening
	delivered int // frames, with the warm-up
	frames    int
	overAt    int // frames when there was enough; 0 before that
	invited   bool
	lookAt    int // frames
	floor     bool
}

// lookEvery is the interval of looks at the noise floor.
const lookEvery = 250 * time.Millisecond

func newEar(rateHz int) (*ear, error) {
	a, err := signal.NewAnalyzer(signal.Format{RateHz: rateHz, Channels: 1})
	if err != nil {
		return nil, err
	}
	return &ear{rateHz: rateHz, analyzer: a}, nil
}

// hear adds samples. The clock is their number, because the times of a browser's callbacks say
// little about those of the device.
func (e *ear) hear(samples []float32) {
	at := int64(float64(e.delivered) / float64(e.rateHz) * 1e9)
	e.delivered += len(samples)
	samples = e.warm.Pass(samples, at, 1)
	if len(samples) == 0 {
		return
	}
	e.analyzer.Write(samples)
	e.frames += len(samples)
	if e.invited {
		e.listening.Hear(e.lasting(len(samples)), e.analyzer.Level().Speech)
	}
	if !e.invited && (e.lasting(e.frames) >= sound.QuietLead || e.onlyZeros()) {
		e.invited = true
	}
	if e.frames >= e.lookAt {
		e.lookAt = e.frames + e.framesIn(lookEvery)
		a := e.analyzer.Analysis()
		e.floor = a.NoiseFloorDBFS != nil && !a.NoiseFloorEstimated
	}
}

// meter is the state of the recording for the page.
type meter struct {
	RMSDBFS   float64 `json:"rms_dbfs"`
	PeakDBFS  float64 `json:"peak_dbfs"`
	Speech    bool    `json:"speech"`
	Invited   bool    `json:"invited"` // the person is to speak
	MissingMS int64   `json:"missing_ms"`
	Over      bool    `json:"over"`
}

func (e *ear) meter() meter {
	l := e.analyzer.Level()
	return meter{RMSDBFS: l.RMSDBFS, PeakDBFS: l.PeakDBFS, Speech: l.Speech, Invited: e.invited,
		MissingMS: e.listening.Missing().Milliseconds(), Over: e.over()}
}

func (e *ear) over() bool {
	if !e.listening.Over(e.floor, e.onlyZeros()) {
		return false
	}
	if e.overAt == 0 {
		e.overAt = e.frames
	}
	return !sound.EndUncertain(e.analyzer) || e.frames-e.overAt >= e.framesIn(sound.EndExtension)
}

func (e *ear) onlyZeros() bool {
	return e.analyzer.Level().ZeroMS >= math.Floor(float64(e.frames)*1000/float64(e.rateHz))
}

func (e *ear) lasting(frames int) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(e.rateHz)
}

func (e *ear) framesIn(d time.Duration) int { return int(d * time.Duration(e.rateHz) / time.Second) }

// data returns what the report contains of the recording. A browser knows neither the device's
// own format nor its mute switch and its volume, and its name of the device may contain that of a
// person.
func (e *ear) data(state report.CaptureState) *report.AudioInput {
	d := &report.AudioInput{State: state, Backend: browserBackend}
	if e != nil && e.frames > 0 && (state == report.CaptureComplete || state == report.CaptureStalled) {
		sound.Fill(d, e.analyzer.Analysis())
	}
	return d
}

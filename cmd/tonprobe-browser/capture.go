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

// capture analyses the sound of a microphone. The browser has mixed its channels to one, as it does
// for a conference.
type capture struct {
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

// lookEvery is the interval at which the noise floor is determined.
const lookEvery = 250 * time.Millisecond

func newCapture(rateHz int) (*capture, error) {
	a, err := signal.NewAnalyzer(signal.Format{RateHz: rateHz, Channels: 1})
	if err != nil {
		return nil, err
	}
	return &capture{rateHz: rateHz, analyzer: a}, nil
}

// add analyses more samples. Their number is the clock: a browser delivers them at irregular times.
func (c *capture) add(samples []float32) {
	at := int64(float64(c.delivered) / float64(c.rateHz) * 1e9)
	c.delivered += len(samples)
	samples = c.warm.Pass(samples, at, 1)
	if len(samples) == 0 {
		return
	}
	c.analyzer.Write(samples)
	c.frames += len(samples)
	if c.invited {
		c.listening.Hear(c.lasting(len(samples)), c.analyzer.Level().Speech)
	}
	if !c.invited && (c.lasting(c.frames) >= sound.QuietLead || c.onlyZeros()) {
		c.invited = true
	}
	if c.frames >= c.lookAt {
		c.lookAt = c.frames + c.framesIn(lookEvery)
		a := c.analyzer.Analysis()
		c.floor = a.NoiseFloorDBFS != nil && !a.NoiseFloorEstimated
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

func (c *capture) meter() meter {
	l := c.analyzer.Level()
	return meter{RMSDBFS: l.RMSDBFS, PeakDBFS: l.PeakDBFS, Speech: l.Speech, Invited: c.invited,
		MissingMS: c.listening.Missing().Milliseconds(), Over: c.over()}
}

func (c *capture) over() bool {
	if !c.listening.Over(c.floor, c.onlyZeros()) {
		return false
	}
	if c.overAt == 0 {
		c.overAt = c.frames
	}
	return !sound.EndUncertain(c.analyzer) || c.frames-c.overAt >= c.framesIn(sound.EndExtension)
}

func (c *capture) onlyZeros() bool {
	return c.analyzer.Level().ZeroMS >= math.Floor(float64(c.frames)*1000/float64(c.rateHz))
}

func (c *capture) lasting(frames int) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(c.rateHz)
}

func (c *capture) framesIn(d time.Duration) int {
	return int(d * time.Duration(c.rateHz) / time.Second)
}

// data returns what the report contains of the recording. A browser knows neither the device's
// own format nor its mute switch and its volume, and its name of the device may contain that of a
// person.
func (c *capture) data(state report.CaptureState) *report.AudioInput {
	d := &report.AudioInput{State: state, Backend: browserBackend}
	if c != nil && c.frames > 0 && (state == report.CaptureComplete || state == report.CaptureStalled) {
		sound.Fill(d, c.analyzer.Analysis())
	}
	return d
}

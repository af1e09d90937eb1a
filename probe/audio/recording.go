package audio

import (
	"fmt"
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/report"
)

// levelPeriod is the time between two readings of the meter.
const levelPeriod = 50 * time.Millisecond

// overtime is how much longer than wanted a recording lasts on a device that
// delivers too few frames.
const overtime = 500 * time.Millisecond

// recording takes in one child's messages.
type recording struct {
	speakFor time.Duration
	progress func(probe.Event)

	backend string
	listed  bool
	devices []capture.Device
	state   osstate.Snapshot
	started capture.Started

	warm       warmUp
	delivery   *delivery
	analyzer   *signal.Analyzer // nil until the warm-up is over
	frames     int
	untilLevel int

	firstStreamID string // the first device the system said it records from
	rerouted      bool
}

func newRecording(speakFor time.Duration, progress func(probe.Event)) *recording {
	return &recording{speakFor: speakFor, progress: progress}
}

// handle returns capture.ErrEnough when all that was wanted is there.
func (r *recording) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Devices:
		r.listed, r.backend, r.devices = true, m.Backend, m.Devices
	case capture.State:
		r.observe(m.Snapshot)
	case capture.Started:
		r.started = m
		r.delivery = newDelivery(time.Duration(m.PeriodMS) * time.Millisecond)
	case capture.PCM:
		return r.hear(m)
	}
	return nil
}

// observe keeps the latest state and notices when the stream was moved.
func (r *recording) observe(s osstate.Snapshot) {
	r.state = s
	switch {
	case s.StreamDeviceID == "":
	case r.firstStreamID == "":
		r.firstStreamID = s.StreamDeviceID
	case s.StreamDeviceID != r.firstStreamID:
		r.rerouted = true
	}
}

func (r *recording) hear(m capture.PCM) error {
	samples := r.warm.pass(m, r.started.Channels)
	if !r.warm.done {
		return nil
	}
	if r.analyzer == nil {
		a, err := signal.NewAnalyzer(signal.Format{RateHz: r.started.RateHz, Channels: r.started.Channels})
		if err != nil {
			return fmt.Errorf("analyse microphone: %w", err)
		}
		r.analyzer = a
		r.progress(probe.Event{Kind: probe.EventListening})
	}
	frames := len(samples) / r.started.Channels
	r.delivery.add(m, frames)
	r.analyzer.Write(samples)
	r.frames += frames
	r.showLevel(frames)
	heardFor := time.Duration(r.delivery.lastNS - r.delivery.firstNS)
	if r.captured() >= r.speakFor || heardFor >= r.speakFor+overtime {
		return capture.ErrEnough
	}
	return nil
}

func (r *recording) captured() time.Duration {
	return time.Duration(r.frames) * time.Second / capture.RateHz
}

func (r *recording) showLevel(frames int) {
	const perLevel = int(levelPeriod * capture.RateHz / time.Second)
	r.untilLevel -= frames
	if r.untilLevel > 0 {
		return
	}
	r.untilLevel = max(r.untilLevel+perLevel, 0)
	l := r.analyzer.Level()
	if l.ZeroMS >= frameMS(r.frames) { // silent from the very start
		l.ZeroMS += frameMS(r.warm.zeroFrames)
	}
	r.progress(probe.Event{Kind: probe.EventLevel, Level: probe.Level{
		RMSDBFS: l.RMSDBFS, PeakDBFS: l.PeakDBFS, Speech: l.Speech, ZeroMS: l.ZeroMS,
	}})
}

func frameMS(frames int) float64 { return float64(frames) * 1000 / capture.RateHz }

// data is the report of this recording.
func (r *recording) data(state report.CaptureState, persons []string) *report.AudioInput {
	d := &report.AudioInput{State: state, Backend: r.backend}
	if r.listed {
		d.Microphones = new(countMicrophones(r.devices))
	}
	r.describeDevice(d, persons)
	if r.warm.began {
		d.FirstCallbackMS = milliseconds(r.warm.begin - r.started.AtNS)
	}
	// Only these states carry levels; a died capture may have been garbage.
	if r.analyzer != nil && (state == report.CaptureComplete || state == report.CaptureStalled) {
		fillSignal(d, r.analyzer.Analysis())
		r.fillDelivery(d)
	}
	if isTrue(d.AllZero) && isTrue(r.state.PrivacyDenied) {
		// Windows and macOS hand out zeros to programs they keep from the microphone.
		return &report.AudioInput{State: report.CaptureRefused, Device: d.Device, Backend: d.Backend, Microphones: d.Microphones}
	}
	return d
}

func (r *recording) fillDelivery(d *report.AudioInput) {
	d.LongestCallbackGapMS = milliseconds(r.delivery.longestNS)
	if pct, ok := r.delivery.rateErrorPct(); ok {
		d.RateErrorPct = new(math.Round(pct*1000) / 1000)
	}
	if r.delivery.dropouts > 0 {
		// One interruption can show twice, as missing sound and as zeros in it.
		d.Dropouts = new(max(*d.Dropouts, r.delivery.dropouts))
		d.LongestGapMS = new(max(*d.LongestGapMS, *milliseconds(r.delivery.lostNS)))
	}
	if r.firstStreamID != "" {
		d.Rerouted = new(r.rerouted)
	}
}

// describeDevice names the device that was really recorded.
func (r *recording) describeDevice(d *report.AudioInput, persons []string) {
	if r.started.Channels == 0 {
		return
	}
	dev := r.started.Device
	if id := r.state.StreamDeviceID; id != "" && id != dev.ID {
		dev = r.deviceByID(id)
	}
	// Redaction would do the last step too; done here, the screen shows what is sent.
	d.Device = report.DeviceName(publicName(dev.Name, dev.IsBluetooth, persons))
	d.IsDefault, d.IsMonitor, d.IsBluetooth = new(dev.IsDefault), new(dev.IsMonitor), new(dev.IsBluetooth)
	if dev.NativeRateHz > 0 {
		d.NativeRateHz = new(dev.NativeRateHz)
	}
	if dev.NativeChannels > 0 {
		d.NativeChannels = new(dev.NativeChannels)
	}
	known, ok := r.state.Devices[dev.ID]
	if !ok {
		return
	}
	d.OSMuted, d.OSVolumeDB = known.Muted, known.VolumeDB
	for _, f := range []struct{ to, from **int }{{&d.NativeRateHz, &known.NativeRateHz}, {&d.NativeChannels, &known.NativeChannels}} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
}

// deviceByID is a listed device, or what the system says of one that came later.
func (r *recording) deviceByID(id string) capture.Device {
	for _, d := range r.devices {
		if d.ID == id {
			return d
		}
	}
	d := capture.Device{ID: id, IsDefault: id == r.state.DefaultID}
	if known, ok := r.state.Devices[id]; ok {
		d.Name, d.IsMonitor, d.IsBluetooth = known.Name, isTrue(known.IsMonitor), isTrue(known.IsBluetooth)
	}
	return d
}

func countMicrophones(devices []capture.Device) int {
	n := 0
	for _, d := range devices {
		if !d.IsMonitor {
			n++
		}
	}
	return n
}

func milliseconds(ns int64) *float64 { return new(float64(ns/1000) / 1000) }

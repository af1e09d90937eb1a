package audio

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/report"
)

// levelPeriod is the time between two readings of the level meter.
const levelPeriod = 50 * time.Millisecond

// overtime is how much longer than intended a recording lasts on a device that
// delivers too few frames.
const overtime = 500 * time.Millisecond

// take processes the messages of one capture child.
type take struct {
	progress func(probe.Event)
	names    *namer

	backend string
	listed  bool
	devices []capture.Device
	history deviceHistory
	before  firstUses
	started capture.Started

	warm       sound.WarmUp
	delivery   *delivery
	analyzer   *signal.Analyzer // nil until the warm-up is over
	frames     int
	invited    bool // the participant has been asked to speak
	listening  sound.Listening
	untilLevel int
	lookAt     int  // frames
	floorKnown bool // at the latest look, measured in quiet parts

	keep   *Recording // nil: keep nothing
	others *others    // nil: listen to no other microphone

	muted  bool // last state that was emitted
	overAt int  // frame count at which there was enough; 0 before that
}

// newTake records for speakFor after the invitation to speak; 0 means until enough
// speech was heard.
func newTake(speakFor time.Duration, persons []string, progress func(probe.Event)) *take {
	return &take{listening: sound.Listening{Fixed: speakFor}, names: newNamer(persons), progress: progress}
}

// handle returns capture.ErrEnough when the recording is complete.
func (t *take) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Devices:
		t.listed, t.backend, t.devices = true, m.Backend, m.Devices
	case capture.State:
		t.observe(m)
	case capture.Started:
		t.started = m
		t.history.open(m.Device)
		t.delivery = newDelivery(time.Duration(m.PeriodMS)*time.Millisecond, m.RateHz)
		t.keep.begin(m.Channels)
		t.others.listen(t.devices, m.Device.ID)
		t.emitMuted()
	case capture.PCM:
		return t.hear(m)
	}
	return nil
}

// observe records the latest state and looks at once: an unplugged device delivers
// no samples that would cause another look.
func (t *take) observe(s capture.State) {
	at := time.Duration(0)
	if t.analyzer != nil {
		at = t.captured()
	}
	t.history.look(s, at)
	t.before.look(s.Snapshot)
	t.emitMuted()
	if t.invited && t.history.moved.at != nil {
		t.lookNow()
	}
}

// emitMuted emits an event as soon as the system mutes the recorded microphone.
func (t *take) emitMuted() {
	known := t.history.now()
	if t.started.Channels == 0 || known.Muted == nil || *known.Muted == t.muted {
		return
	}
	t.muted = *known.Muted
	t.progress(probe.Event{Kind: probe.EventMuted, Muted: t.muted})
}

// recordedID returns the ID of the recorded device, which changes with a reroute.
func (t *take) recordedID() string { return cmp.Or(t.history.endID(), t.history.startID()) }

func (t *take) hear(m capture.PCM) error {
	samples := t.warm.Pass(m.Samples, m.AtNS, t.started.Channels)
	if !t.warm.Done {
		return nil
	}
	if t.analyzer == nil {
		a, err := signal.NewAnalyzer(signal.Format{RateHz: t.started.RateHz, Channels: t.started.Channels})
		if err != nil {
			return fmt.Errorf("analyse microphone: %w", err)
		}
		t.analyzer = a
	}
	frames := len(samples) / t.started.Channels
	t.delivery.add(m, frames)
	t.analyzer.Write(samples)
	t.keep.write(samples)
	t.frames += frames
	if t.invited {
		t.listening.Hear(t.lasting(frames), t.analyzer.Level().Speech)
	}
	t.invite()
	t.showLevel(frames)
	if t.over() && !t.endUncertain() {
		return capture.ErrEnough
	}
	t.look()
	return nil
}

// over reports whether there is enough sound, or there never will be: a device
// that delivers too few frames must not delay the check.
func (t *take) over() bool {
	heardFor := time.Duration(t.delivery.lastNS - t.delivery.firstNS)
	return t.listening.Over(t.floorKnown, t.onlyZeros()) || heardFor >= sound.QuietLead+t.listening.Longest()+overtime
}

// endUncertain extends a recording that ends in silence, by at most sound.EndExtension.
func (t *take) endUncertain() bool {
	if t.overAt == 0 {
		t.overAt = t.frames
	}
	return sound.EndUncertain(t.analyzer) && t.frames-t.overAt < t.framesIn(sound.EndExtension)
}

// invite asks the participant to speak after the quiet lead. If only zeros are
// received, there is no room noise to wait for.
func (t *take) invite() {
	if t.invited || t.captured() < sound.QuietLead && !t.onlyZeros() {
		return
	}
	t.invited = true
	t.progress(probe.Event{Kind: probe.EventListening})
}

func (t *take) onlyZeros() bool { return t.analyzer.Level().ZeroMS >= t.milliseconds(t.frames) }

func (t *take) captured() time.Duration { return t.lasting(t.frames) }

func (t *take) lasting(frames int) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(t.started.RateHz)
}

// framesIn returns the number of frames of this stream in d.
func (t *take) framesIn(d time.Duration) int {
	return int(d * time.Duration(t.started.RateHz) / time.Second)
}

func (t *take) milliseconds(frames int) float64 {
	return float64(frames) * 1000 / float64(t.started.RateHz)
}

func (t *take) showLevel(frames int) {
	if !t.invited {
		return
	}
	if t.untilLevel -= frames; t.untilLevel > 0 {
		return
	}
	t.untilLevel = max(t.untilLevel+t.framesIn(levelPeriod), 0)
	l := t.analyzer.Level()
	t.others.chosenHears(l)
	if t.onlyZeros() { // silent from the start
		l.ZeroMS += t.milliseconds(t.warm.ZeroFrames)
	}
	t.progress(probe.Event{Kind: probe.EventLevel, Level: probe.Level{
		RMSDBFS: l.RMSDBFS, PeakDBFS: l.PeakDBFS, Speech: l.Speech, ZeroMS: l.ZeroMS,
		MissingMS: float64(t.listening.Missing().Milliseconds()),
	}})
}

func frameMS(frames int) float64 { return float64(frames) * 1000 / capture.RateHz }

// data returns the report of this recording.
func (t *take) data(state report.CaptureState) *report.AudioInput {
	d := &report.AudioInput{State: state, Backend: t.backend}
	if t.listed {
		d.Microphones = new(countMicrophones(t.devices))
	}
	t.describeDevice(d)
	t.before.describe(d, t.started.Device.ID)
	if t.warm.Began {
		d.FirstCallbackMS = milliseconds(t.warm.Begin - t.started.AtNS)
	}
	// Only these states include levels. A capture that died may have delivered garbage.
	if t.analyzer != nil && (state == report.CaptureComplete || state == report.CaptureStalled) {
		sound.Fill(d, t.analyzer.Analysis())
		t.fillDelivery(d)
	}
	if isTrue(d.AllZero) && isTrue(t.history.state.PrivacyDenied) {
		// Windows and macOS deliver zeros to programs that may not use the microphone.
		return &report.AudioInput{State: report.CaptureRefused, Device: d.Device, Backend: d.Backend, Microphones: d.Microphones}
	}
	return d
}

func (t *take) fillDelivery(d *report.AudioInput) {
	d.LongestCallbackGapMS = milliseconds(t.delivery.longestNS)
	if pct, ok := t.delivery.rateErrorPct(); ok {
		d.RateErrorPct = new(math.Round(pct*1000) / 1000)
	}
	if t.delivery.dropouts > 0 {
		// One interruption can appear twice: as missing frames and as zeros.
		d.Dropouts = new(max(*d.Dropouts, t.delivery.dropouts))
		d.LongestGapMS = new(max(*d.LongestGapMS, *milliseconds(t.delivery.lostNS)))
	}
}

// describeDevice names the device that was recorded at the start, and what happened
// to it.
func (t *take) describeDevice(d *report.AudioInput) {
	if t.started.Channels == 0 {
		return
	}
	dev := t.deviceByID(t.history.startID())
	d.Device = t.names.microphone("device", dev)
	// On Windows communication programs use the default communications device.
	d.IsDefault = new(dev.IsDefault || dev.IsDefaultComms)
	d.IsMonitor, d.IsBluetooth = new(dev.IsMonitor), new(dev.IsBluetooth)
	if dev.NativeRateHz > 0 {
		d.NativeRateHz = new(dev.NativeRateHz)
	}
	if dev.NativeChannels > 0 {
		d.NativeChannels = new(dev.NativeChannels)
	}
	if known, ok := t.history.begin.Devices[dev.ID]; ok {
		d.BluetoothCodec = known.BluetoothCodec
		for _, f := range []struct{ to, from **int }{{&d.NativeRateHz, &known.NativeRateHz}, {&d.NativeChannels, &known.NativeChannels}} {
			if *f.from != nil {
				*f.to = *f.from
			}
		}
	}
	t.history.describe(d, t.deviceByID, t.names)
}

// deviceByID returns a listed device, or the system's description of a later one.
func (t *take) deviceByID(id string) capture.Device {
	if id == t.started.Device.ID {
		return t.started.Device
	}
	for _, d := range t.devices {
		if d.ID == id {
			return d
		}
	}
	d := capture.Device{ID: id, IsDefault: id == t.history.begin.DefaultID}
	for _, s := range []osstate.Snapshot{t.history.begin, t.history.state} {
		if known, ok := s.Devices[id]; ok {
			d.Name, d.Product, d.IsMonitor, d.IsBluetooth = known.Name, known.Product, isTrue(known.IsMonitor), isTrue(known.IsBluetooth)
		}
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

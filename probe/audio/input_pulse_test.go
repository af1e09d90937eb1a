//go:build linux && cgo

package audio

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// check runs audio.input and records its events.
type check struct {
	t           *testing.T
	config      InputConfig
	mu          sync.Mutex
	events      []probe.Event
	untilEnough bool // until enough was said; otherwise for a fixed time
	// onLevel is called at the first level event.
	onLevel func()
}

func (c *check) run() (probe.Result, *report.AudioInput) {
	c.t.Helper()
	if c.config.SpeakFor == 0 && !c.untilEnough {
		c.config.SpeakFor = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	var once sync.Once
	r, err := NewInput(c.config).Run(ctx, probe.Env{Clock: probe.SystemClock{}, Progress: func(e probe.Event) {
		c.mu.Lock()
		c.events = append(c.events, e)
		c.mu.Unlock()
		if e.Kind == probe.EventLevel && c.onLevel != nil {
			once.Do(c.onLevel)
		}
	}})
	if err != nil {
		c.t.Fatalf("the probe could not run: %v", err)
	}
	d, ok := r.Data.(*report.AudioInput)
	if !ok {
		c.t.Fatalf("no data, note %q", r.Note)
	}
	if err := reportOf(r).Validate(); err != nil {
		c.t.Errorf("the report is not valid: %v", err)
	}
	return r, d
}

// reportOf returns a report that contains only this result.
func reportOf(r probe.Result) *report.Report {
	at := time.Date(2026, 5, 4, 18, 0, 0, 0, time.UTC)
	return &report.Report{
		Schema: report.SchemaV1, ID: "0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", Case: "K7P-3QX",
		Agent:   report.Agent{Version: "test", OS: "linux", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", StartedAt: at, Verdict: report.Unknown,
		Probes: []report.Result{{Name: report.ProbeAudioInput, Version: 1, Status: r.Status, StartedAt: at, Error: r.Note, Data: r.Data}},
	}
}

func wantState(t *testing.T, d *report.AudioInput, want ...report.CaptureState) {
	t.Helper()
	for _, s := range want {
		if d.State == s {
			return
		}
	}
	t.Fatalf("state %q, want %q", d.State, want)
}

func TestHealthyVoice(t *testing.T) {
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	c := &check{t: t, config: InputConfig{SpeakFor: 6 * time.Second, Child: rig.Child(ChildArg)}}
	r, d := c.run()
	wantState(t, d, report.CaptureComplete)
	if r.Status != report.StatusOK {
		t.Errorf("status %q, want %q", r.Status, report.StatusOK)
	}
	if d.Device != pulserig.MicName || d.Backend != "pulseaudio" || !isTrue(d.IsDefault) || *d.IsMonitor || *d.IsBluetooth || *d.Microphones != 1 {
		t.Errorf("device %q on %q: default %v, monitor %v, bluetooth %v, of %d; want the default microphone of pulseaudio, the only one", d.Device, d.Backend, *d.IsDefault, *d.IsMonitor, *d.IsBluetooth, *d.Microphones)
	}
	if *d.OSMuted || *d.OSVolumeDB != 0 || *d.NativeRateHz != 48000 || *d.NativeChannels != 1 || *d.Rerouted {
		t.Errorf("muted %v, volume %v, native %d Hz × %d, rerouted %v; want an audible one of 48000 Hz, mono, not rerouted", *d.OSMuted, *d.OSVolumeDB, *d.NativeRateHz, *d.NativeChannels, *d.Rerouted)
	}
	// The level of six seconds of the text differs slightly from that of the whole
	// text.
	if math.Abs(*d.ActiveLevelDBFS+26) > 2.5 {
		t.Errorf("active level %.2f dBFS, want about -26", *d.ActiveLevelDBFS)
	}
	if *d.SpeechMS < 3000 || *d.CapturedMS < 6500 || *d.CapturedMS > 6600 { // including the quiet lead
		t.Errorf("%v ms of speech in %v ms; want at least 3000 in 6500 to 6600", *d.SpeechMS, *d.CapturedMS)
	}
	if math.Abs(*d.RateErrorPct) > 2 || *d.Dropouts != 0 || *d.ClippedRuns != 0 || *d.AllZero {
		t.Errorf("rate off by %v %%, %d dropouts, %d clipped runs, all zero %v; want at most 2 %% and no other fault", *d.RateErrorPct, *d.Dropouts, *d.ClippedRuns, *d.AllZero)
	}
	if c.events[0].Kind != probe.EventListening {
		t.Errorf("first event %v, want listening", c.events[0].Kind)
	}
	levels, speech := 0, 0
	for _, e := range c.events {
		if e.Kind == probe.EventLevel {
			levels++
			if e.Level.Speech {
				speech++
			}
		}
	}
	if levels < 110 || levels > 125 {
		t.Errorf("%d readings in 6 s, want about 120", levels)
	}
	if speech < 30 {
		t.Errorf("%d readings with speech, want at least 30", speech)
	}
}

// TestLateVoiceIsHeardToItsEnd: six seconds from the invitation on would contain
// only half a second of it.
func TestLateVoiceIsHeardToItsEnd(t *testing.T) {
	rig := pulserig.Start(t, pulserig.Config{})
	voice := pulserig.Say(t, pulserig.GermanText, "de", -26)
	c := &check{t: t, untilEnough: true, config: InputConfig{Child: rig.Child(ChildArg)}}
	c.onLevel = func() {
		timer := time.AfterFunc(5*time.Second, func() { rig.Play(voice) })
		t.Cleanup(func() { timer.Stop() })
	}
	_, d := c.run()
	wantState(t, d, report.CaptureComplete)
	if *d.SpeechMS < 2500 || *d.CapturedMS < 9000 || *d.CapturedMS > float64(LongestCapture.Milliseconds()) {
		t.Errorf("%v ms of speech in %v ms; want at least 2500 in 9000 to %d", *d.SpeechMS, *d.CapturedMS, LongestCapture.Milliseconds())
	}
}

func TestMutedInTheSystem(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	rig.Mute(true)
	c := &check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}
	r, d := c.run()
	wantState(t, d, report.CaptureComplete)
	if !isTrue(d.OSMuted) || !isTrue(d.AllZero) || r.Status != report.StatusFail {
		t.Errorf("muted %v, all zero %v, status %q; want true, true, %q", *d.OSMuted, *d.AllZero, r.Status, report.StatusFail)
	}
	var zero float64
	for _, e := range c.events {
		zero = max(zero, e.Level.ZeroMS)
	}
	if zero < *d.CapturedMS {
		t.Errorf("the meter counted %.0f ms of zeros, less than the %.0f captured", zero, *d.CapturedMS)
	}
}

func TestLowVolumeInTheSystem(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -20))
	rig.Volume(10)
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureComplete)
	if math.Abs(*d.OSVolumeDB+60) > 0.1 {
		t.Errorf("volume %.2f dB, want -60", *d.OSVolumeDB)
	}
	if *d.OSMuted {
		t.Error("muted")
	}
}

func TestNarrowMicrophone(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{RateHz: 8000, Name: "Annas Headset"})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg), Device: "annas headset"}}).run()
	wantState(t, d, report.CaptureComplete)
	if *d.NativeRateHz != 8000 {
		t.Errorf("native rate %d Hz, want 8000", *d.NativeRateHz)
	}
}

func TestStereoMicrophone(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{Channels: 2})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureComplete)
	if *d.NativeChannels != 2 || d.LeftRMSDBFS == nil || d.RightRMSDBFS == nil {
		t.Errorf("%d channels, levels %v and %v; want 2, both set", *d.NativeChannels, d.LeftRMSDBFS, d.RightRMSDBFS)
	}
}

func TestNoDeviceAtAll(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	r, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureNoDevice)
	if r.Status != report.StatusFail || *d.Microphones != 0 || d.ActiveLevelDBFS != nil {
		t.Errorf("status %q, %d microphones, level %v; want %q, 0, none", r.Status, *d.Microphones, d.ActiveLevelDBFS, report.StatusFail)
	}
	devices, err := Devices(t.Context(), rig.Child(ChildArg))
	if err != nil || len(devices) != 0 {
		t.Errorf("devices %v, %v; want none, no error", devices, err)
	}
}

func TestMonitorAsDefault(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{NoMic: true})
	r, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureComplete)
	if !isTrue(d.IsMonitor) || !isTrue(d.IsDefault) || *d.Microphones != 0 || r.Status != report.StatusFail {
		t.Errorf("monitor %v, default %v, %d microphones, status %q; want true, true, 0, %q", *d.IsMonitor, *d.IsDefault, *d.Microphones, r.Status, report.StatusFail)
	}
}

func TestAbsentDevice(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	r, d := (&check{t: t, config: InputConfig{Device: "Jabra", Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureDeviceAbsent)
	if r.Status != report.StatusFail {
		t.Errorf("status %q, want %q", r.Status, report.StatusFail)
	}
}

func TestReroute(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Load("module-null-sink", "sink_name=other", "rate=48000", "channels=1")
	rig.Load("module-remap-source", "master=other.monitor", "source_name=second", "source_properties=device.description=Second")
	rig.Control("set-default-source", pulserig.Mic)
	voice := pulserig.Say(t, pulserig.GermanText, "de", -26)
	rig.Play(voice)
	rig.PlayInto("other", voice) // an idle sink takes up to two seconds to wake up
	c := &check{t: t, config: InputConfig{SpeakFor: 5 * time.Second, Child: rig.Child(ChildArg)}}
	c.onLevel = func() {
		rig.Control("set-default-source", "second")
		for _, id := range rig.Outputs() {
			rig.Control("move-source-output", id, "second")
		}
	}
	_, d := c.run()
	wantState(t, d, report.CaptureComplete)
	if !isTrue(d.Rerouted) || d.Device != pulserig.MicName || d.EndDevice != "Second" || *d.Microphones != 2 {
		t.Errorf("rerouted %v from %q to %q, %d microphones; want true, from %q to Second, 2", *d.Rerouted, d.Device, d.EndDevice, *d.Microphones, pulserig.MicName)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := NewInput(InputConfig{SpeakFor: time.Minute, Child: rig.Child(ChildArg)}).Run(ctx, probe.Env{
		Clock: probe.SystemClock{}, Progress: func(e probe.Event) {
			if e.Kind == probe.EventLevel && e.Level.RMSDBFS > -60 {
				cancel()
			}
		},
	})
	if err != nil || r.Status != report.StatusOK || r.Data == nil {
		t.Errorf("got %v, error %v; want status ok with data", r, err)
	}
	pulserig.Until(t, "the child to be gone", func() bool { return !rig.Recording() })
}

func TestDevices(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{RateHz: 16000})
	devices, err := Devices(t.Context(), rig.Child(ChildArg))
	if err != nil || len(devices) != 2 {
		t.Fatalf("got %v, error %v; want 2 devices", devices, err)
	}
	for _, d := range devices {
		isMic := d.ID == pulserig.Mic
		if d.IsMonitor == isMic || d.IsDefault != isMic {
			t.Errorf("got %+v, want only the microphone as default and only the monitor as monitor", d)
		}
		if isMic && (d.NativeRateHz != 16000 || d.NativeChannels != 1 || d.Name != pulserig.MicName) {
			t.Errorf("got %+v, want %s with 16000 Hz, 1 channel", d, pulserig.MicName)
		}
	}
}

package audio

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/report"
)

const period = 20 * time.Millisecond

// feed passes callbacks with arbitrary timing to a recording.
type feed struct {
	t        *testing.T
	rec      *take
	at       time.Duration
	listened time.Duration
	levels   []probe.Level
	looks    []*report.AudioInput
	err      error
}

func newFeed(t *testing.T, speakFor time.Duration, channels int) *feed {
	f := &feed{t: t, listened: -1}
	f.rec = newTake(speakFor, nil, func(e probe.Event) {
		switch e.Kind {
		case probe.EventListening:
			f.listened = f.at
		case probe.EventLevel:
			f.levels = append(f.levels, e.Level)
		case probe.EventPartial:
			f.looks = append(f.looks, e.Result.Data.(*report.AudioInput))
		}
	})
	mic := capture.Device{Name: "Mic", ID: "mic", IsDefault: true}
	f.rec.handle(capture.Devices{Backend: "fake", Devices: []capture.Device{mic, {ID: "mon", IsMonitor: true}}})
	f.rec.handle(capture.Started{Device: mic, RateHz: capture.RateHz, Channels: channels, PeriodMS: 20})
	return f
}

// pass simulates a period of callbacks with samples value(i), at a rate that
// deviates by rateOffPct.
func (f *feed) pass(d time.Duration, value float32, rateOffPct float64) {
	frames := int(math.Round(float64(capture.RateHz) * period.Seconds() * (1 + rateOffPct/100)))
	for end := f.at + d; f.at < end && f.err == nil; {
		f.at += period
		samples := slices.Repeat([]float32{value}, frames*f.rec.started.Channels)
		if value != 0 { // not a constant value
			for i := range samples {
				samples[i] *= float32(1 + i%2*-2)
			}
		}
		f.err = f.rec.handle(capture.PCM{AtNS: int64(f.at), Samples: samples})
	}
}

func (f *feed) data() *report.AudioInput { return f.rec.data(report.CaptureComplete) }

func TestWarmUpIsDiscarded(t *testing.T) {
	f := newFeed(t, time.Second, 1)
	f.at = 1500 * time.Millisecond // the first callback is late
	f.pass(300*time.Millisecond, 0, 0)
	if f.listened >= 0 {
		t.Error("the zeros at the start are analysed")
	}
	f.pass(2*time.Second, 0.1, 0)
	d := f.data()
	if room := milliseconds(sound.QuietLead.Nanoseconds()); f.err != capture.ErrEnough || *d.CapturedMS != 1000+*room || *d.DigitalZeroMS != 0 || *d.Dropouts != 0 {
		t.Errorf("error %v; got %v ms, %v ms of zeros, %d dropouts; want error %v, %v ms, no zeros and no dropouts", f.err, *d.CapturedMS, *d.DigitalZeroMS, *d.Dropouts, capture.ErrEnough, 1000+*room)
	}
	if *d.FirstCallbackMS != 1520 {
		t.Errorf("first callback after %v ms, want 1520", *d.FirstCallbackMS)
	}
	if n := len(f.levels); n < 18 || n > 21 {
		t.Errorf("%d readings in a second, want about 20", n)
	}
}

func TestMutedMicrophoneIsReportedSoon(t *testing.T) {
	f := newFeed(t, time.Second, 1)
	f.pass(3*time.Second, 0, 0)
	if f.listened < 0 || f.listened > time.Second {
		t.Errorf("listening began after %v, want within a second", f.listened)
	}
	if d := f.data(); !*d.AllZero {
		t.Error("not all zero")
	}
	if last := f.levels[len(f.levels)-1]; last.ZeroMS < 1600 {
		t.Errorf("the meter counted %v ms of zeros, without the warm-up, want at least 1600", last.ZeroMS)
	}
}

func TestRateError(t *testing.T) {
	for _, off := range []float64{0, 5, -5, -0.5} {
		f := newFeed(t, 5*time.Second, 1)
		f.pass(7*time.Second, 0.1, off)
		d := f.data()
		want := 100 * (math.Round(960*(1+off/100))/960 - 1)
		if d.RateErrorPct == nil || math.Abs(*d.RateErrorPct-want) > 0.01 {
			t.Errorf("%v %%: %v, want %v", off, d.RateErrorPct, want)
		}
		if *d.Dropouts != 0 || *d.LongestCallbackGapMS != 20 {
			t.Errorf("%v %%: %d dropouts, longest gap %v ms; want 0, 20 ms", off, *d.Dropouts, *d.LongestCallbackGapMS)
		}
	}
	f := newFeed(t, time.Second, 1)
	f.pass(3*time.Second, 0.1, 0)
	if d := f.data(); d.RateErrorPct != nil {
		t.Error("got a rate after one second of sound")
	}
}

func TestTooFewFramesEndInTime(t *testing.T) {
	f := newFeed(t, 2*time.Second, 1)
	f.pass(time.Minute, 0.1, -50)
	if f.err != capture.ErrEnough || f.at > 3500*time.Millisecond {
		t.Errorf("got error %v after %v; want %v, at most %v", f.err, f.at, capture.ErrEnough, 3500*time.Millisecond)
	}
}

func TestLostSoundIsADropout(t *testing.T) {
	f := newFeed(t, 4*time.Second, 1)
	f.pass(time.Second, 0.1, 0)
	f.at += 400 * time.Millisecond // what was recorded before is discarded
	f.pass(5*time.Second, 0.1, 0)
	d := f.data()
	if *d.Dropouts != 1 || math.Abs(*d.LongestGapMS-400) > 1 || *d.LongestCallbackGapMS != 420 {
		t.Errorf("%d dropouts of %v ms, gap %v ms; want 1 of 400 ms, 420 ms", *d.Dropouts, *d.LongestGapMS, *d.LongestCallbackGapMS)
	}
	if math.Abs(*d.RateErrorPct) > 0.01 {
		t.Errorf("the dropout was reported as a rate error of %v %%", *d.RateErrorPct)
	}
}

func TestLateSoundIsNotADropout(t *testing.T) {
	f := newFeed(t, 4*time.Second, 1)
	f.pass(time.Second, 0.1, 0)
	f.at += 400 * time.Millisecond
	for range 20 { // all samples arrive at once
		f.pass(period, 0.1, 0)
		f.at -= period
	}
	f.pass(5*time.Second, 0.1, 0)
	d := f.data()
	if *d.Dropouts != 0 || *d.LongestCallbackGapMS != 420 {
		t.Errorf("%d dropouts, gap %v ms; want 0, 420 ms", *d.Dropouts, *d.LongestCallbackGapMS)
	}
	if math.Abs(*d.RateErrorPct) > 0.01 {
		t.Errorf("the pause was reported as a rate error of %v %%", *d.RateErrorPct)
	}
}

func TestPrivacyIsReportedOnlyWithZeros(t *testing.T) {
	denied := capture.State{Snapshot: osstate.Snapshot{PrivacyDenied: new(true)}}
	f := newFeed(t, time.Second, 1)
	f.rec.handle(denied)
	f.pass(3*time.Second, 0, 0)
	d := f.data()
	if d.State != report.CaptureRefused || d.RMSDBFS != nil || coarseStatus(d) != report.StatusFail {
		t.Errorf("%q, level %v; want %q without a level, as a failure", d.State, d.RMSDBFS, report.CaptureRefused)
	}
	f = newFeed(t, time.Second, 1)
	f.rec.handle(denied)
	f.pass(3*time.Second, 0.1, 0)
	if d := f.data(); d.State != report.CaptureComplete {
		t.Errorf("got state %q although there was sound, want %q", d.State, report.CaptureComplete)
	}
}

func TestRerouteIsSeen(t *testing.T) {
	f := newFeed(t, time.Second, 1)
	for _, id := range []string{"", "mic", "mic", ""} {
		f.rec.handle(capture.State{Snapshot: osstate.Snapshot{StreamDeviceID: id}})
	}
	f.pass(3*time.Second, 0.1, 0)
	if d := f.data(); *d.Rerouted {
		t.Error("got a reroute from a device to itself")
	}
	f.rec.handle(capture.State{Snapshot: osstate.Snapshot{StreamDeviceID: "other", Devices: map[string]osstate.Device{
		"other": {Name: "Annas AirPods", IsBluetooth: new(true), Muted: new(true), NativeRateHz: new(8000)},
	}}})
	d := f.data()
	if !*d.Rerouted || d.Device != "Mic" || d.EndDevice != "AirPods" || *d.IsBluetooth || !*d.OSMuted || !*d.IsDefault || *d.EndIsMonitor {
		t.Errorf("got %+v, want a reroute from Mic to AirPods, muted, default, no monitor", d)
	}
}

// TestCommunicationsDevice: on Windows, programs for calls may use another default device than
// the recorded one.
func TestCommunicationsDevice(t *testing.T) {
	for name, c := range map[string]struct {
		console, comms, want string
	}{
		"the same":              {"mic", "mic", ""},
		"another one":           {"mic", "headset", "Headset"},
		"none, as elsewhere":    {"mic", "", ""},
		"recorded":              {"webcam", "mic", ""},
		"neither is recorded":   {"webcam", "headset", ""},
		"not listed, as absent": {"mic", "gone", ""},
	} {
		f := newFeed(t, time.Second, 1)
		f.rec.handle(capture.State{Snapshot: osstate.Snapshot{StreamDeviceID: "mic", DefaultID: c.console, DefaultCommsID: c.comms, Devices: map[string]osstate.Device{
			"mic": {Name: "Mic"}, "webcam": {Name: "Webcam"}, "headset": {Name: "Headset", Muted: new(true)},
		}}})
		f.pass(3*time.Second, 0.1, 0)
		if d := f.data(); d.CommsDevice != c.want || isTrue(d.CommsMuted) != (c.want != "") {
			t.Errorf("%s: got %q, muted %v; want %q", name, d.CommsDevice, d.CommsMuted, c.want)
		}
	}
}

// TestEveryFieldOfTheSignalIsReported: each value of an analysis is in the report.
func TestEveryFieldOfTheSignalIsReported(t *testing.T) {
	var a signal.Analysis
	v := reflect.ValueOf(&a).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Float64:
			f.SetFloat(1.5)
		case reflect.Int, reflect.Int64:
			f.SetInt(1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Pointer:
			f.Set(reflect.ValueOf(new(2.5)))
		case reflect.Slice:
			f.Set(reflect.ValueOf([]float64{3.5, 4.5}))
		}
	}
	var d report.AudioInput
	sound.Fill(&d, a)
	// Values from the operating system and the stream are not part of the analysis.
	others := []string{"Microphones", "NativeRateHz", "NativeChannels", "IsDefault", "IsMonitor", "IsBluetooth", "UsedElsewhere", "OSMuted", "OSVolumeDB",
		"FirstCallbackMS", "LongestCallbackGapMS", "RateErrorPct", "Rerouted",
		"OSUnread", "RemoteSession", "DefaultMuted", "DefaultHeard", "CommsMuted", "CommsHeard", "MutedAfterMS", "VolumeAfterMS", "EndIsMonitor", "DefaultChanged", "Unplugged", "Suspended", "ServerGone", "MovedAfterMS",
		"OthersListened", "VoiceDeviceLevelDBFS"}
	r := reflect.ValueOf(d)
	for i := range r.NumField() {
		name := r.Type().Field(i).Name
		if f := r.Field(i); f.Kind() == reflect.Pointer && f.IsNil() != slices.Contains(others, name) {
			t.Errorf("%s: filled %v, want %v", name, !f.IsNil(), slices.Contains(others, name))
		}
	}
}

func TestNaNIsNotReported(t *testing.T) {
	var d report.AudioInput
	sound.Fill(&d, signal.Analysis{RMSDBFS: math.NaN(), SNRDB: new(math.Inf(1))})
	if d.RMSDBFS != nil || d.SNRDB != nil {
		t.Errorf("got RMS %v, SNR %v; want none", d.RMSDBFS, d.SNRDB)
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

func TestCoarseStatus(t *testing.T) {
	for want, inputs := range map[report.Status][]report.AudioInput{
		report.StatusOK:      {{State: report.CaptureComplete}},
		report.StatusUnknown: {{State: report.CaptureNotBuilt}, {State: report.CaptureDied}, {State: report.CaptureNoSession}},
		report.StatusFail: {
			{State: report.CaptureNoServer}, {State: report.CaptureNoDevice}, {State: report.CaptureDeviceAbsent}, {State: report.CaptureStalled},
			{State: report.CaptureRefused}, {State: report.CaptureInUse},
			{State: report.CaptureComplete, OSMuted: new(true)}, {State: report.CaptureComplete, AllZero: new(true)},
			{State: report.CaptureComplete, IsMonitor: new(true)},
		},
	} {
		for _, in := range inputs {
			if got := coarseStatus(&in); got != want {
				t.Errorf("%+v: %q, want %q", in, got, want)
			}
		}
	}
}

// TestLooksMatchTheReportSoFar: a look contains what the report would contain if the recording
// ended there.
func TestLooksMatchTheReportSoFar(t *testing.T) {
	f := newFeed(t, 3*time.Second, 1)
	f.pass(5*time.Second, 0.1, 0)
	if n := len(f.looks); n != 12 { // of 3.5 s, after the quiet lead; the end itself is the report
		t.Fatalf("%d looks in 3.5 s, want 12", n)
	}
	for i, in := range f.looks {
		if want := math.Ceil((500+250*float64(i))/20) * 20; *in.CapturedMS != want || in.State != report.CaptureComplete || in.Device != "Mic" || in.SpeechMS == nil {
			t.Errorf("look %d: %v ms, %+v; want %v ms of a complete capture of Mic", i, *in.CapturedMS, in, want)
		}
	}
	short := newFeed(t, 2*time.Second, 1)
	short.pass(4*time.Second, 0.1, 0)
	if !reflect.DeepEqual(f.looks[8], short.data()) {
		t.Errorf("after 2.5 s got a look with\n%+v\nwant as in a report of the same sound\n%+v", f.looks[8], short.data())
	}
}

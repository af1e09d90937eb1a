//go:build unix

package microphone

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/browserpolicy"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/voices"
	"github.com/tonprobe/tonprobe/probe/report"
)

// fault describes how to cause a fault at a microphone of a server that several
// tests share.
type fault struct {
	want string // expected cause, "" for none
	how  string
	// recording returns the sound of the microphone; nil means a healthy voice.
	recording func(recordings) voices.Fixture
	// properties are PulseAudio properties of the microphone.
	properties map[string]string
	// pace is the real rate of delivery relative to the stated one; 0 means 1.
	pace float64
	// before and during cause a fault that is not part of the recording.
	before, during func(*pulserig.Rig, *pulserig.Cable)
}

// recorded returns a fault that is part of the sound.
func recorded(want, kind string) fault {
	return fault{want: want, how: kind, recording: func(r recordings) voices.Fixture { return r.find(want, kind) }}
}

func healthyVoice(r recordings) voices.Fixture { return r.find(voices.Healthy, "ordinary voice") }

// microphoneFaults returns the faults that can share one server.
func microphoneFaults() []fault {
	control := func(command string, value ...string) func(*pulserig.Rig, *pulserig.Cable) {
		return func(r *pulserig.Rig, c *pulserig.Cable) { r.Control(append([]string{command, c.ID}, value...)...) }
	}
	handsfree := recorded("audio.narrowband", "device of 8 kHz")
	handsfree.want, handsfree.how = "audio.bluetooth_handsfree", "8 kHz by Bluetooth"
	handsfree.properties = map[string]string{"device.bus": "bluetooth", "bluetooth.protocol": "headset_head_unit", "bluetooth.codec": "CVSD"}
	return []fault{
		{want: "", how: "healthy"},
		{want: "audio.os_muted", how: "muted", before: control("set-source-mute", "1")},
		{want: "audio.os_volume_low", how: "10 per cent", before: control("set-source-volume", "10%")},
		{want: "audio.stalled", how: "the device falls silent", during: func(_ *pulserig.Rig, c *pulserig.Cable) { c.Stop() }},
		{want: "audio.dropouts", how: "the device loses sound", during: func(_ *pulserig.Rig, c *pulserig.Cable) {
			for i := range 3 {
				time.AfterFunc(time.Duration(400+900*i)*time.Millisecond, func() { c.Lose(180 * time.Millisecond) })
			}
		}},
		{want: "audio.sample_rate_wrong", how: "44.1 for 48 kHz", pace: 44.1 / 48},
		handsfree,
		recorded("audio.narrowband", "device of 8 kHz"),
		recorded("audio.narrowband", "path of 8 kHz"),
		recorded("audio.digital_silence", "exact zeros"),
		recorded("audio.clipped", "clipped at full scale"),
		recorded("audio.clipped_upstream", "clipped, then turned down"),
		recorded("audio.too_loud", "too loud"),
		recorded("audio.too_quiet", "too quiet"),
		recorded("audio.no_speech", "a room, nobody speaks"),
		recorded("audio.hum", "hum of 50 Hz"),
		recorded("audio.noise", "white noise"),
		recorded("audio.noise", "fan noise"),
		recorded("audio.dead_channel", "channel 1 dead"),
		recorded("audio.inverted_channel", "second channel inverted"),
		recorded("audio.dc_offset", "offset"),
		recorded("audio.dropouts", "buffers of 20 ms lost"),
	}
}

// TestMicrophoneFaults causes faults at a real sound server and runs a real check
// of each: capture process, analysis, diagnosis.
func TestMicrophoneFaults(t *testing.T) {
	made := newRecordings(t)
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	sideBySide(t, 8, microphoneFaults(), fault.name, func(t *testing.T, f fault) {
		recording := healthyVoice
		if f.recording != nil {
			recording = f.recording
		}
		s := made.sound(t, recording(made))
		mic := rig.Plug(t, reNoID.ReplaceAllString(f.name(), "_"), pulserig.Plug{RateHz: s.RateHz, Channels: s.Channels, Properties: f.properties})
		mic.Feed(s.Samples, f.pace)
		if f.before != nil {
			f.before(rig, mic)
		}
		b := bench{child: rig.Child(audio.ChildArg), device: mic.ID}
		if f.during != nil {
			b.during = func() { f.during(rig, mic) }
		}
		wantPrimary(t, b.check(t), f.want)
	})
}

var reNoID = regexp.MustCompile(`[^a-z0-9]+`)

func (f fault) name() string {
	if f.want == "" {
		return f.how
	}
	return f.want + " " + f.how
}

// serverFault is a fault that needs its own sound server.
type serverFault struct {
	want, how string
	rig       pulserig.Config
	// set causes the fault and returns the check to run.
	set func(t *testing.T, made recordings, r *pulserig.Rig) bench
	// look verifies other parts of the report than its primary cause.
	look func(t *testing.T, r *report.Report)
}

func serverFaults() []serverFault {
	alone := func(_ *testing.T, _ recordings, r *pulserig.Rig) bench { return bench{child: r.Child(audio.ChildArg)} }
	// voiced feeds a healthy voice to the default microphone.
	voiced := func(t *testing.T, made recordings, r *pulserig.Rig) {
		plugIn(t, r, "headset", made.sound(t, healthyVoice(made)))
		r.Control("set-default-source", "headset")
	}
	none := pulserig.Config{NoDevices: true}
	// With this buffer the loopback has no gaps on a busy machine.
	const loopback = "latency_msec=300"
	refused := func(code uint32) func(*testing.T, recordings, *pulserig.Rig) bench {
		return func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			voiced(t, made, r)
			r.Record(t, "headset", "zoom")
			r.Refuse(code)
			return alone(t, made, r)
		}
	}
	return []serverFault{
		{want: "audio.no_user_session", how: "a service of the machine", rig: none, set: func(*testing.T, recordings, *pulserig.Rig) bench {
			return bench{child: serviceChild}
		}},
		{want: "audio.no_server", how: "dead", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			r.Kill()
			return alone(t, made, r)
		}},
		{want: "audio.no_server", how: "hangs", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			r.Suspend()
			t.Cleanup(r.Resume)
			return alone(t, made, r)
		}},
		{want: "audio.no_microphone", how: "no device at all", rig: none, set: alone},
		{want: "audio.no_microphone", how: "only a loudspeaker's monitor", rig: pulserig.Config{NoMic: true}, set: alone},
		{want: "audio.default_is_monitor", how: "chosen beside a microphone", set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			r.Control("set-default-source", pulserig.Sink+".monitor")
			return alone(t, made, r)
		}},
		// PulseAudio sends these errors only with real hardware or a sandbox, so a
		// proxy sends them with the numbers of PipeWire's server.
		{want: "audio.privacy_blocked", how: "refused by the server", rig: none, set: refused(pulserig.ErrAccess)},
		{want: "audio.in_use", how: "held by another program", rig: none, set: refused(pulserig.ErrBusy), look: func(t *testing.T, r *report.Report) {
			if in := report.Find[report.AudioInput](r); in.HeldBy != "Zoom" || in.UsedElsewhere == nil || !*in.UsedElsewhere {
				t.Errorf("used elsewhere %v by %q", in.UsedElsewhere, in.HeldBy)
			}
			text, _ := diagnose.ExplainCause(r.Causes[0], "de")
			if !strings.Contains(text.Sentence, "Zoom") {
				t.Errorf("got a sentence without the program: %s", text.Sentence)
			}
		}},
		{want: "audio.stalled", how: "the server hangs", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			voiced(t, made, r)
			t.Cleanup(r.Resume)
			return bench{child: r.Child(audio.ChildArg), during: r.Suspend}
		}},
		{want: "host.device_unplugged", how: "the device is pulled out", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			voiced(t, made, r)
			return bench{child: r.Child(audio.ChildArg), during: func() { r.Control("unload-module", "module-pipe-source") }}
		}},
		// Only a stream from the default device is moved: a stream from a chosen
		// one requests to stay.
		{want: "audio.rerouted", how: "moved to another device", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			plugIn(t, r, "camera", made.sound(t, healthyVoice(made)))
			voiced(t, made, r)
			return bench{child: r.Child(audio.ChildArg), during: func() { r.MoveStreams("headset", "camera") }}
		}},
		{want: "audio.wrong_device", how: "the voice is at another one", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			plugIn(t, r, "camera", made.sound(t, made.find("audio.no_speech", "a room")))
			voiced(t, made, r)
			return bench{child: r.Child(audio.ChildArg), device: "camera", others: true}
		}, look: func(t *testing.T, r *report.Report) {
			if text, _ := diagnose.ExplainCause(r.Causes[0], "en"); !strings.Contains(text.Sentence, "headset") {
				t.Errorf("got a sentence without the microphone: %s", text.Sentence)
			}
		}},
		{want: "audio.not_default", how: "the default is another one", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			voiced(t, made, r)
			plugIn(t, r, "camera", made.sound(t, made.find("audio.digital_silence", "exact zeros")))
			r.Control("set-default-source", "camera")
			return bench{child: r.Child(audio.ChildArg), device: "headset", judgeDefault: true}
		}, look: func(t *testing.T, r *report.Report) {
			if text, _ := diagnose.ExplainCause(r.Causes[0], "en"); r.Verdict != report.Limited || !strings.Contains(text.Sentence, "camera") || !strings.Contains(text.Action, "headset") {
				t.Errorf("got verdict %s: %s %s; want %s, containing %q, containing %q", r.Verdict, text.Sentence, text.Action, report.Limited, "camera", "headset")
			}
		}},
		{want: "audio.browser_blocked", how: "by a policy", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			voiced(t, made, r)
			return bench{child: r.Child(audio.ChildArg), inBrowser: true, policies: []browserpolicy.Browser{{Name: "Edge", Forbidden: true}}}
		}, look: func(t *testing.T, r *report.Report) {
			if text, _ := diagnose.ExplainCause(r.Causes[0], "en"); r.Verdict != report.Limited || !strings.Contains(text.Sentence, "Edge") {
				t.Errorf("got verdict %s: %s; want %s, containing Edge", r.Verdict, text.Sentence, report.Limited)
			}
		}},
		{want: "audio.speaker_silent", how: "muted", rig: none, set: loudspeaker(voiced, func(r *pulserig.Rig) { r.Control("set-sink-mute", "speaker", "1") }), look: func(t *testing.T, r *report.Report) {
			if text, _ := diagnose.ExplainCause(r.Causes[0], "en"); !strings.Contains(text.Sentence, "muted") {
				t.Errorf("got a sentence without the mute: %s", text.Sentence)
			}
		}},
		{want: "audio.speaker_silent", how: "not heard", rig: none, set: loudspeaker(voiced, nil), look: func(t *testing.T, r *report.Report) {
			if p, _ := r.Probe(report.ProbeAudioOutput); p.Status != report.StatusWarn {
				t.Errorf("got status %s for a loudspeaker that nobody heard, want %s", p.Status, report.StatusWarn)
			}
		}},
		{want: "audio.echo", how: "comes back as loud as it was", set: loudspeaker(func(t *testing.T, made recordings, r *pulserig.Rig) {
			s := made.sound(t, healthyVoice(made))
			r.Load("module-null-sink", "sink_name=room", "rate=48000", "channels=1")
			plugIn(t, r, "mouth", s)
			r.Load("module-loopback", "source=mouth", "sink=room", loopback, "adjust_time=0")
			r.Load("module-remap-source", "master=room.monitor", "source_name=headset")
			r.Control("set-default-source", "headset")
		}, func(r *pulserig.Rig) {
			r.Load("module-loopback", "source=speaker.monitor", "sink=room", loopback, "adjust_time=0")
		})},
		// With a silent microphone the test of the loudspeaker is inconclusive.
		{want: "audio.wrong_device", how: "and the loudspeaker is not heard", rig: none, set: func(t *testing.T, made recordings, r *pulserig.Rig) bench {
			plugIn(t, r, "camera", made.sound(t, made.find("audio.no_speech", "a room")))
			b := loudspeaker(voiced, nil)(t, made, r)
			b.device, b.others = "camera", true
			return b
		}, look: func(t *testing.T, r *report.Report) {
			if slices.ContainsFunc(r.Causes, func(c report.Cause) bool { return c.Code == "audio.speaker_silent" }) {
				t.Error("got a cause of the loudspeaker")
			}
			if p, _ := r.Probe(report.ProbeAudioOutput); p.Status != report.StatusUnknown {
				t.Errorf("got status %s for a loudspeaker that nobody could hear, want %s", p.Status, report.StatusUnknown)
			}
		}},
	}
}

// loudspeaker adds a loudspeaker to the microphone, and its test.
func loudspeaker(voiced func(*testing.T, recordings, *pulserig.Rig), then func(*pulserig.Rig)) func(*testing.T, recordings, *pulserig.Rig) bench {
	return func(t *testing.T, made recordings, r *pulserig.Rig) bench {
		r.Load("module-null-sink", "sink_name=speaker", "rate=48000", "channels=1")
		r.Control("set-default-sink", "speaker")
		voiced(t, made, r)
		if then != nil {
			then(r)
		}
		return bench{child: r.Child(audio.ChildArg), speaker: true}
	}
}

// TestSoundSystemFaults does the same as TestMicrophoneFaults for faults of the
// whole sound system.
func TestSoundSystemFaults(t *testing.T) {
	made := newRecordings(t)
	sideBySide(t, 8, serverFaults(), func(f serverFault) string { return f.want + " " + f.how }, func(t *testing.T, f serverFault) {
		rig := pulserig.Start(t, f.rig)
		r := f.set(t, made, rig).check(t)
		wantPrimary(t, r, f.want)
		if f.look != nil && !t.Failed() {
			f.look(t, r)
		}
	})
}

// TestEveryAudioCauseIsProvoked checks that these tests cause a real fault for each
// cause of microphone and loudspeaker in the catalogue.
func TestEveryAudioCauseIsProvoked(t *testing.T) {
	provoked := map[string]bool{}
	for _, f := range microphoneFaults() {
		provoked[f.want] = true
	}
	for _, f := range serverFaults() {
		provoked[f.want] = true
	}
	for _, d := range diagnose.Catalogue() {
		if strings.HasPrefix(d.Code, "audio.") && !provoked[d.Code] {
			t.Errorf("no test causes %s", d.Code)
		}
	}
}

func wantPrimary(t *testing.T, r *report.Report, want string) {
	t.Helper()
	got, _ := r.Primary()
	b, _ := r.Encode()
	switch {
	case got.Code != want:
		t.Errorf("got primary cause %q, want %q\n%s", got.Code, want, b)
	case want == "" && r.Verdict != report.Ready:
		t.Errorf("got verdict %s, want ready\n%s", r.Verdict, b)
	case want != "" && got.Confidence <= 0.5:
		t.Errorf("got %s with a confidence of %v\n%s", want, got.Confidence, b)
	}
}

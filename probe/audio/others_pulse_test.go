//go:build linux && cgo

package audio

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// twoMicrophones returns a rig with the default microphone and a second one.
func twoMicrophones(t *testing.T) *pulserig.Rig {
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Load("module-null-sink", "sink_name=desk", "rate=48000", "channels=1")
	rig.Load("module-remap-source", "master=desk.monitor", "source_name=camera", "source_properties=device.description=Kamera")
	rig.Control("set-default-source", pulserig.Mic)
	return rig
}

func elsewhere(events []probe.Event) []probe.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e probe.Event) bool { return e.Kind != probe.EventVoiceElsewhere })
}

func causesOf(t *testing.T, r probe.Result) []report.Cause {
	t.Helper()
	profile, err := diagnose.LoadProfile("bbb")
	if err != nil {
		t.Fatal(err)
	}
	causes, _ := diagnose.Diagnose(reportOf(r), profile)
	return causes
}

func TestVoiceAtAnotherMicrophone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ chosenDBFS float64 }{"chosen is silent": {}, "chosen is far away": {-52}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := twoMicrophones(t)
			rig.PlayInto("desk", pulserig.Say(t, pulserig.GermanText, "de", -24))
			if c.chosenDBFS != 0 {
				rig.Play(pulserig.Say(t, pulserig.GermanText, "de", c.chosenDBFS))
			}
			k := &check{t: t, config: InputConfig{SpeakFor: 6 * time.Second, Others: true, Child: rig.Child(ChildArg)}}
			r, d := k.run()
			wantState(t, d, report.CaptureComplete)
			if d.Device != pulserig.MicName || d.VoiceDevice != "Kamera" || d.OthersListened == nil || *d.OthersListened != 1 {
				t.Errorf("recorded %q, voice at %q, listened to %v others; want %q, Kamera, 1", d.Device, d.VoiceDevice, d.OthersListened, pulserig.MicName)
			}
			if d.VoiceDeviceLevelDBFS == nil || *d.VoiceDeviceLevelDBFS < -27 || *d.VoiceDeviceLevelDBFS > -21 {
				t.Errorf("the voice there at %v dBFS, want -27 to -21", d.VoiceDeviceLevelDBFS)
			}
			told := elsewhere(k.events)
			if len(told) != 1 || told[0].Device != "camera" || told[0].DeviceName != "Kamera" {
				t.Errorf("got events %+v; want 1 entry, [0].Device %q, [0].DeviceName %q", told, "camera", "Kamera")
			}
			if causes := causesOf(t, r); len(causes) == 0 || causes[0].Code != "audio.wrong_device" || !causes[0].Primary {
				t.Errorf("causes %+v, want audio.wrong_device first", causes)
			}
			pulserig.Until(t, "all children to be gone", func() bool { return !rig.Recording() })
		})
	}
}

func TestVoiceAtBothMicrophones(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Load("module-remap-source", "master="+pulserig.Sink+".monitor", "source_name=camera", "source_properties=device.description=Kamera")
	rig.Control("set-default-source", pulserig.Mic)
	rig.Volume(75) // -7.5 dB: the camera's microphone records it louder
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -22))
	k := &check{t: t, config: InputConfig{SpeakFor: 5 * time.Second, Others: true, Child: rig.Child(ChildArg)}}
	_, d := k.run()
	if d.VoiceDevice != "" || d.VoiceDeviceLevelDBFS != nil || *d.OthersListened != 1 || len(elsewhere(k.events)) != 0 {
		t.Errorf("voice at %q, events %+v; want none", d.VoiceDevice, elsewhere(k.events))
	}
}

// TestAnotherMicrophoneIsLost: the second microphone disappears during the recording.
func TestAnotherMicrophoneIsLost(t *testing.T) {
	t.Parallel()
	rig := twoMicrophones(t)
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	module := strings.TrimSpace(rig.Control("load-module", "module-remap-source", "master=desk.monitor", "source_name=third"))
	rig.Control("set-default-source", pulserig.Mic)
	k := &check{t: t, config: InputConfig{SpeakFor: 4 * time.Second, Others: true, Child: rig.Child(ChildArg)}}
	k.onLevel = func() { rig.Control("unload-module", module) }
	r, d := k.run()
	wantState(t, d, report.CaptureComplete)
	if r.Status != report.StatusOK || d.VoiceDevice != "" || isTrue(d.Rerouted) || d.Device != pulserig.MicName {
		t.Errorf("status %q, voice at %q, recorded %q; want %q, none, %q", r.Status, d.VoiceDevice, d.Device, report.StatusOK, pulserig.MicName)
	}
}

func TestMuteIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	k := &check{t: t, config: InputConfig{SpeakFor: 6 * time.Second, Child: rig.Child(ChildArg)}}
	k.onLevel = func() {
		rig.Mute(true)
		time.AfterFunc(2500*time.Millisecond, func() { rig.Mute(false) })
	}
	k.run()
	var told []bool
	for _, e := range k.events {
		if e.Kind == probe.EventMuted {
			told = append(told, e.Muted)
		}
	}
	if !slices.Equal(told, []bool{true, false}) {
		t.Errorf("got events %v, want %v", told, []bool{true, false})
	}
}

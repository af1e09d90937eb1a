//go:build unix

package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
)

const sentence = "Guten Tag zusammen. Die Sonne scheint, der Kaffee ist warm, und ich freue mich, dass wir uns alle gut hören."

// goodLevel is a voice as a headset delivers it.
const goodLevel = -26

// TestMicrophoneFaults provokes each cause of trouble at a real sound server
// and runs a real check over it: capture process, analysis, judgement.
func TestMicrophoneFaults(t *testing.T) {
	pulserig.Need(t, "pulseaudio", "pactl", "paplay", "sox", "espeak-ng")
	voice := func(t *testing.T, level float64) string { return pulserig.Say(t, sentence, "de", level) }
	tests := []struct {
		want  string // "" is a healthy microphone
		mic   pulserig.Config
		fault func(t *testing.T, r *pulserig.Rig)
	}{
		{"", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) { r.Play(voice(t, goodLevel)) }},
		{"audio.no_microphone", pulserig.Config{NoDevices: true}, func(*testing.T, *pulserig.Rig) {}},
		{"audio.no_microphone", pulserig.Config{NoMic: true}, func(*testing.T, *pulserig.Rig) {}},
		{"audio.default_is_monitor", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Control("set-default-source", "mic_in.monitor")
			r.Play(voice(t, goodLevel))
		}},
		{"audio.os_muted", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Play(voice(t, goodLevel))
			r.Mute(true)
		}},
		{"audio.os_volume_low", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Play(voice(t, goodLevel))
			r.Volume(10)
		}},
		{"audio.digital_silence", pulserig.Config{}, func(*testing.T, *pulserig.Rig) {}},
		{"audio.no_speech", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Play(sound(t, "room.wav", "synth", "8", "pinknoise", "vol", "-52dB"))
		}},
		{"audio.too_quiet", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) { r.Play(voice(t, -54)) }},
		{"audio.too_loud", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			// Saturated softly, so that it is loud without being clipped.
			r.Play(altered(t, voice(t, -20), "gain", "-n", "-1", "overdrive", "16", "0", "gain", "-n", "-1.5"))
		}},
		{"audio.clipped", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Play(altered(t, voice(t, goodLevel), "vol", "24dB"))
		}},
		{"audio.stalled", pulserig.Config{}, func(t *testing.T, r *pulserig.Rig) {
			r.Play(voice(t, goodLevel))
			go func() {
				pulserig.Until(t, "a recording", r.Recording)
				time.AfterFunc(2*time.Second, r.Suspend)
			}()
			t.Cleanup(r.Resume)
		}},
	}
	for _, tt := range tests {
		name := tt.want
		if name == "" {
			name = "healthy"
		}
		t.Run(name, func(t *testing.T) {
			rig := pulserig.Start(t, tt.mic)
			for _, v := range rig.Env() {
				key, value, _ := strings.Cut(v, "=")
				t.Setenv(key, value)
			}
			tt.fault(t, rig)
			r := judge(t, check.Options{Only: []string{report.ProbeAudioInput}, SpeakFor: 5 * time.Second})
			wantPrimary(t, r, tt.want)
		})
	}
}

func TestWrongClock(t *testing.T) {
	ahead := func() time.Time { return time.Now().Add(10 * time.Minute) }
	_, a := startPair(t, server.Config{Now: ahead})
	wantPrimary(t, judge(t, check.Options{NoAudio: true, AgentID: a.id, Collector: &a.endpoint}), "net.clock_wrong")
}

// TestSilentCollector: nobody but our own server is at fault, and the verdict
// must not say otherwise.
func TestSilentCollector(t *testing.T) {
	c, a := startPair(t, server.Config{})
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	r := judge(t, check.Options{NoAudio: true, AgentID: a.id, Collector: &a.endpoint})
	wantPrimary(t, r, "conf.server_down")
	if r.Verdict != report.Unknown {
		t.Errorf("verdict %s; want unknown, since the participant's line was not measured", r.Verdict)
	}
	if c, _ := r.Primary(); c.Area == report.AreaParticipant {
		t.Error("the participant is blamed for our own server's silence")
	}
}

// startPair is a collector and a participant enrolled at it.
func startPair(t *testing.T, c server.Config) (*collector, *enrolled) {
	t.Helper()
	dir := t.TempDir()
	col, err := startCollectorWith(t.Context(), dir, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(col.cancel)
	a, err := enrol(t.Context(), col, dir)
	if err != nil {
		t.Fatal(err)
	}
	return col, a
}

func judge(t *testing.T, o check.Options) *report.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o.Version = "test"
	o.Progress = func(probe.Event) {}
	r, err := check.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantPrimary(t *testing.T, r *report.Report, want string) {
	t.Helper()
	got, _ := r.Primary()
	if got.Code != want {
		b, _ := r.Encode()
		t.Errorf("primary cause %q, want %q\n%s", got.Code, want, b)
	}
	if want == "" && r.Verdict != report.Ready {
		t.Errorf("verdict %s, want ready", r.Verdict)
	}
}

// sound makes a WAV file with sox's synthesiser.
func sound(t *testing.T, name string, effects ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	sox(t, append([]string{"-n", "-r", "48000", "-c", "1", "-b", "16", path}, effects...)...)
	return path
}

// altered passes a WAV file through sox's effects.
func altered(t *testing.T, from string, effects ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "altered.wav")
	sox(t, append([]string{from, path}, effects...)...)
	return path
}

func sox(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sox", args...).CombinedOutput(); err != nil {
		t.Fatalf("sox %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

//go:build linux && cgo

package audio

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// liveRun is a capture that ends as soon as a cause is reported.
type liveRun struct {
	rig      *pulserig.Rig
	live     diagnose.Live
	invited  func(r *liveRun) // called at the invitation to speak
	speaking func(r *liveRun) // called after one second of sound

	mu     sync.Mutex
	heard  time.Duration // duration of sound so far
	from   time.Duration // start of the fault or, if later, of the voice
	code   string        // reported cause
	at     time.Duration
	cancel context.CancelFunc
}

// listen records until a cause is reported, or eight seconds of sound.
func (r *liveRun) listen(t *testing.T) {
	t.Helper()
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	r.live, r.cancel = diagnose.NewLive(limits), cancel
	input := NewInput(InputConfig{SpeakFor: 8 * time.Second, Child: r.rig.Child(ChildArg)})
	result, err := input.Run(ctx, probe.Env{Clock: probe.SystemClock{}, Progress: r.take})
	if err != nil {
		t.Fatal(err)
	}
	// A failed capture ends by itself, and the plan reports that at once.
	if in, ok := result.Data.(*report.AudioInput); ok && r.code == "" && in.State != report.CaptureComplete {
		c, _ := r.live.Last(in).Cause()
		r.name(c.Code)
	}
}

func (r *liveRun) take(e probe.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == probe.EventLevel {
		r.heard += levelPeriod
		if e.Level.Speech && r.from == 0 {
			r.from = r.heard // the file may begin with a pause
		}
	}
	switch {
	case r.code != "":
	case e.Kind == probe.EventListening:
		r.heard = sound.QuietLead
		if r.invited != nil {
			r.from = r.heard
			r.invited(r)
		}
	case e.Kind == probe.EventMuted && e.Muted:
		r.name("audio.os_muted")
	case e.Kind == probe.EventLevel && e.Level.ZeroMS >= 1200: // as meter.Coach does
		r.name("audio.digital_silence")
		r.at = time.Duration(e.Level.ZeroMS) * time.Millisecond // includes zeros during the warm-up
	case e.Kind == probe.EventPartial:
		r.look(e.Result.Data.(*report.AudioInput))
	}
}

func (r *liveRun) look(in *report.AudioInput) {
	r.heard = time.Duration(*in.CapturedMS * float64(time.Millisecond))
	if speaking := r.speaking; speaking != nil && r.heard >= time.Second {
		r.speaking, r.from = nil, r.heard
		speaking(r)
	}
	r.live = r.live.Look(in)
	if c, named := r.live.Cause(); named {
		r.name(c.Code)
	}
}

func (r *liveRun) name(code string) {
	r.code, r.at = code, r.heard
	r.cancel()
}

// TestLiveCausesAtARealMicrophone checks that each fault is reported within a limit
// after it began, by a capture of a real sound server. The limit is in sound time,
// so it does not depend on the load of the machine.
func TestLiveCausesAtARealMicrophone(t *testing.T) {
	voice := func(level float64) func(*testing.T) string {
		return func(t *testing.T) string { return pulserig.Say(t, pulserig.GermanText, "de", level) }
	}
	through := func(level float64, effects ...string) func(*testing.T) string {
		return func(t *testing.T) string { return effected(t, voice(level)(t), effects...) }
	}
	// Created before the capture, which it would disturb.
	spoken := voice(-26)(t)
	var lossy *pulserig.Cable // the source with dropouts
	const soon, rest = 2 * time.Second, namedWithin
	for _, tt := range []struct {
		want              string
		within            time.Duration
		mic               pulserig.Config
		sound             func(*testing.T) string // nil: no sound
		before            func(*testing.T, *pulserig.Rig)
		invited, speaking func(*testing.T, *liveRun)
	}{
		{want: "audio.os_muted", within: soon, sound: voice(-26), before: func(_ *testing.T, r *pulserig.Rig) { r.Mute(true) }},
		{want: "audio.os_muted", within: soon, sound: voice(-26), speaking: func(_ *testing.T, r *liveRun) { r.rig.Mute(true) }},
		{want: "audio.digital_silence", within: soon},
		{want: "audio.os_volume_low", within: rest, sound: voice(-20), before: func(_ *testing.T, r *pulserig.Rig) { r.Volume(10) }},
		{want: "audio.default_is_monitor", within: rest, sound: voice(-26), before: func(_ *testing.T, r *pulserig.Rig) { r.Control("set-default-source", pulserig.Sink+".monitor") }},
		{want: "audio.hum", within: rest, sound: func(t *testing.T) string { return hummed(t, voice(-24)(t)) }},
		{want: "audio.noise", within: rest, sound: func(t *testing.T) string { return noise(t, -36) },
			invited: func(_ *testing.T, r *liveRun) { r.rig.Play(spoken) }},
		{want: "audio.clipped", within: rest, sound: through(-26, "vol", "24dB")},
		{want: "audio.clipped_upstream", within: rest, sound: through(-26, "vol", "20dB", "vol", "-9dB")},
		{want: "audio.narrowband", within: rest, sound: through(-26, "rate", "8000", "rate", "48000")},
		{want: "audio.narrowband", within: rest, mic: pulserig.Config{RateHz: 8000}, sound: voice(-26)},
		{want: "audio.dead_channel", within: rest, mic: pulserig.Config{Channels: 2}, sound: through(-26, "remix", "1", "0")},
		{want: "audio.inverted_channel", within: rest, mic: pulserig.Config{Channels: 2}, sound: through(-26, "remix", "1", "1i")},
		{want: "audio.dc_offset", within: rest, sound: through(-26, "dcshift", "0.08")},
		{want: "audio.dropouts", within: rest, before: func(t *testing.T, r *pulserig.Rig) {
			lossy = r.Plug(t, "lossy", pulserig.Plug{})
			lossy.Feed(pulserig.Samples(t, spoken), 0)
			r.Control("set-default-source", "lossy")
		}, speaking: func(*testing.T, *liveRun) { lossy.Lose(300 * time.Millisecond) }},
		{want: "audio.too_quiet", within: rest, sound: voice(-46)},
		{want: "audio.stalled", within: rest, sound: voice(-26), speaking: func(t *testing.T, r *liveRun) {
			r.rig.Suspend()
			t.Cleanup(r.rig.Resume)
		}},
		{want: "audio.rerouted", within: rest, sound: voice(-26), before: second, speaking: func(_ *testing.T, r *liveRun) {
			for _, id := range r.rig.Outputs() {
				r.rig.Control("move-source-output", id, "second")
			}
		}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			rig := pulserig.Start(t, tt.mic)
			if tt.sound != nil {
				rig.Play(tt.sound(t))
			}
			if tt.before != nil {
				tt.before(t, rig)
			}
			r := &liveRun{rig: rig, invited: with(t, tt.invited), speaking: with(t, tt.speaking)}
			r.listen(t)
			if r.code != tt.want || r.at-r.from > tt.within {
				t.Errorf("got %q after %v of sound, %v after the fault; want %q within %v", r.code, r.at, r.at-r.from, tt.want, tt.within)
			}
			t.Logf("reported after %v of sound", r.at-r.from)
		})
	}
}

// with binds a step to its test; nil stays nil.
func with(t *testing.T, step func(*testing.T, *liveRun)) func(*liveRun) {
	if step == nil {
		return nil
	}
	return func(r *liveRun) { step(t, r) }
}

// second adds another microphone with the same sound.
func second(_ *testing.T, r *pulserig.Rig) {
	r.Load("module-remap-source", "master="+pulserig.Sink+".monitor", "source_name=second", "source_properties=device.description=Second")
	r.Control("set-default-source", pulserig.Mic)
}

// namedWithin is the required time within which a cause is reported.
const namedWithin = 4 * time.Second

// sox runs sox without dither, which would replace digital zeros by noise.
func sox(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sox", append([]string{"-D"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("sox %v: %v\n%s", args, err, out)
	}
}

// effected applies sox effects to a file.
func effected(t *testing.T, from string, effects ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "effected.wav")
	sox(t, append([]string{from, "-b", "16", to}, effects...)...)
	return to
}

// noise returns pink noise of a given level.
func noise(t *testing.T, dBFS float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "noise.wav")
	sox(t, "-n", "-r", "48000", "-c", "1", "-b", "16", path, "synth", "20", "pinknoise", "vol", "0.3")
	level := pulserig.ActiveLevel(t, path) // without pauses this is the RMS level
	return effected(t, path, "vol", fmt.Sprintf("%gdB", dBFS-level))
}

func hummed(t *testing.T, voice string) string {
	t.Helper()
	dir := t.TempDir()
	hum, to := filepath.Join(dir, "hum.wav"), filepath.Join(dir, "hummed.wav")
	sox(t, "-n", "-r", "48000", "-c", "1", "-b", "16", hum, "synth", "14", "sine", "50", "sine", "100", "vol", "-36dB")
	sox(t, "-m", "-v", "1", voice, "-v", "1", hum, "-b", "16", to)
	return to
}

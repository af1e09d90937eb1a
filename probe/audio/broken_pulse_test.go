//go:build linux && cgo

package audio

import (
	"context"
	"math"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/browserpolicy"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestNoServer(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Kill()
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg), Remote: func() *bool { return new(true) }, Site: "bbb.example.org",
		Policies: func() []browserpolicy.Browser {
			return []browserpolicy.Browser{{Name: "Chrome", Forbidden: true}, {Name: "Edge", Forbidden: true, Allowed: []string{"https://bbb.example.org"}}}
		}}}).run()
	wantState(t, d, report.CaptureNoServer)
	if !isTrue(d.RemoteSession) || d.BlockedBrowsers != "Chrome" {
		t.Errorf("got remote session %v, blocked in %q; want true, Chrome", d.RemoteSession, d.BlockedBrowsers)
	}
	_, err := Devices(t.Context(), rig.Child(ChildArg))
	if state, _, _ := errorState(err); state != report.CaptureNoServer {
		t.Errorf("devices: %v, want state %q", err, report.CaptureNoServer)
	}
}

func TestServerHangsBeforeTheStart(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Suspend()
	defer rig.Resume()
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureNoServer)
}

// TestServerKilledWhileRecording: the subject is that the loss is noticed long before the end
// of the recording, which takes a minute. Time passes in the sound server, a process of its own.
func TestServerKilledWhileRecording(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	start := time.Now()
	var killed time.Time
	c := &check{t: t, config: InputConfig{SpeakFor: time.Minute, Child: rig.Child(ChildArg)}}
	c.onLevel = func() { killed = time.Now(); rig.Kill() }
	_, d := c.run()
	wantState(t, d, report.CaptureStalled, report.CaptureDied)
	if took := time.Since(killed); took > 30*time.Second {
		t.Errorf("noticed after %v (%v in total), want long before the end of the recording", took, time.Since(start))
	}
}

func TestServerHangsWhileRecording(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	c := &check{t: t, config: InputConfig{SpeakFor: time.Minute, Child: rig.Child(ChildArg)}}
	c.onLevel = rig.Suspend
	defer rig.Resume()
	r, d := c.run()
	wantState(t, d, report.CaptureStalled)
	if r.Status != report.StatusFail || d.CapturedMS == nil {
		t.Errorf("status %q, captured %v; want %q, some", r.Status, d.CapturedMS, report.StatusFail)
	}
}

// TestDelayedSound: on an overloaded computer the sound server or the capture process
// stalls for 0.4 s. The sound is late but complete, and no dropout may be reported.
func TestDelayedSound(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(r *pulserig.Rig, child *os.Process) (resume func()){
		"the server": func(r *pulserig.Rig, _ *os.Process) func() {
			r.Suspend()
			return r.Resume
		},
		"the capture process": func(_ *pulserig.Rig, child *os.Process) func() {
			_ = child.Signal(syscall.SIGSTOP)
			return func() { _ = child.Signal(syscall.SIGCONT) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := pulserig.Start(t, pulserig.Config{})
			rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
			var child *exec.Cmd
			c := &check{t: t, config: InputConfig{Child: func(ctx context.Context) *exec.Cmd {
				child = rig.Child(ChildArg)(ctx)
				return child
			}}}
			c.onLevel = func() { time.AfterFunc(400*time.Millisecond, stop(rig, child.Process)) }
			_, d := c.run()
			wantState(t, d, report.CaptureComplete)
			if *d.LongestCallbackGapMS < 300 {
				t.Errorf("longest gap between callbacks %v ms, want about 400", *d.LongestCallbackGapMS)
			}
			if *d.Dropouts != 0 || math.Abs(*d.RateErrorPct) > 2 {
				t.Errorf("%d dropouts, longest %v ms, rate off by %v %%; want 0 and at most 2 %%", *d.Dropouts, *d.LongestGapMS, *d.RateErrorPct)
			}
		})
	}
}

// TestLostSound: the device loses 0.3 s.
func TestLostSound(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	mic := rig.Plug(t, "headset", pulserig.Plug{})
	mic.Feed(pulserig.Samples(t, pulserig.Say(t, pulserig.GermanText, "de", -26)), 0)
	c := &check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}
	c.onLevel = func() { mic.Lose(300 * time.Millisecond) }
	_, d := c.run()
	wantState(t, d, report.CaptureComplete)
	if *d.Dropouts < 1 || math.Abs(*d.LongestGapMS-300) > 100 {
		t.Errorf("%d dropouts, longest %v ms, want one of 300 ms", *d.Dropouts, *d.LongestGapMS)
	}
	if math.Abs(*d.RateErrorPct) > 2 {
		t.Errorf("the dropout was reported as a rate error of %v %%", *d.RateErrorPct)
	}
}

func TestChildKilledWhileRecording(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	var child *exec.Cmd
	c := &check{t: t, config: InputConfig{SpeakFor: time.Minute, Child: func(ctx context.Context) *exec.Cmd {
		child = rig.Child(ChildArg)(ctx)
		return child
	}}}
	c.onLevel = func() { _ = child.Process.Kill() }
	r, d := c.run()
	wantState(t, d, report.CaptureDied)
	if r.Status != report.StatusUnknown || r.Note == "" || d.ActiveLevelDBFS != nil {
		t.Errorf("status %q, note %q, level %v; want %q with a note and no level", r.Status, r.Note, d.ActiveLevelDBFS, report.StatusUnknown)
	}
}

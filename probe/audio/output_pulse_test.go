//go:build linux && cgo

package audio

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// speakerRig returns a rig with a loudspeaker whose sound reaches the microphone
// with the given latency.
func speakerRig(t *testing.T, latencyMS int) *pulserig.Rig {
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Load("module-null-sink", "sink_name=spk", "rate=48000", "channels=1", "sink_properties=device.description=Lautsprecher")
	rig.Control("set-default-sink", "spk")
	if latencyMS > 0 {
		rig.Load("module-loopback", "source=spk.monitor", "sink="+pulserig.Sink, fmt.Sprintf("latency_msec=%d", latencyMS), "adjust_time=0") // 0: no resampling
	}
	return rig
}

// oneRoomRig returns a rig whose microphone records the loudspeaker without delay.
func oneRoomRig(t *testing.T) *pulserig.Rig {
	rig := speakerRig(t, 0)
	rig.Load("module-remap-source", "master=spk.monitor", "source_name=room", "source_properties=device.description=Raum")
	rig.Control("set-default-source", "room")
	return rig
}

func testLoudspeaker(t *testing.T, rig *pulserig.Rig) *report.AudioOutput {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := NewOutput(OutputConfig{Child: rig.Child(ChildArg)}).Run(ctx, probe.Env{Clock: probe.SystemClock{}, Progress: func(probe.Event) {}})
	d, ok := r.Data.(*report.AudioOutput)
	if err != nil || !ok {
		t.Fatalf("status %q, note %q, %v", r.Status, r.Note, err)
	}
	if good := r.Status == report.StatusOK && r.Note == ""; good != *d.LoopHeard || !good && r.Status != report.StatusUnknown {
		t.Errorf("status %q, note %q, heard %v; want %q without a note only if it is heard", r.Status, r.Note, *d.LoopHeard, report.StatusOK)
	}
	whole := reportOf(r)
	whole.Probes[0].Name = report.ProbeAudioOutput
	if err := whole.Validate(); err != nil {
		t.Errorf("the report is not valid: %v", err)
	}
	return d
}

// TestLoudspeakerIsHeard checks the level exactly. The delay is 10 ms on an idle
// machine, but really longer on a busy one, so only its lower bound is checked.
// TestLoopOnABusyComputer checks the accuracy of the measurement itself.
func TestLoudspeakerIsHeard(t *testing.T) {
	t.Parallel()
	rig := oneRoomRig(t)
	d := testLoudspeaker(t, rig)
	if d.Device != "Lautsprecher" || *d.OSMuted || *d.OSVolumeDB != 0 || !*d.LoopHeard {
		t.Fatalf("%q, muted %v, volume %v, heard %v; want Lautsprecher, audible and heard", d.Device, *d.OSMuted, *d.OSVolumeDB, *d.LoopHeard)
	}
	t.Logf("delay %.1f ms, return %.1f dB", *d.LoopDelayMS, *d.EchoReturnDB)
	if *d.LoopDelayMS <= 0 || math.Abs(*d.EchoReturnDB) > 0.5 {
		t.Error("want a delay and a return of 0 dB")
	}
}

// TestLoudspeakerIsHeardLater: PulseAudio's loopback adds a few buffers to the requested
// latency, sometimes considerably more.
func TestLoudspeakerIsHeardLater(t *testing.T) {
	t.Parallel()
	d := testLoudspeaker(t, speakerRig(t, 300))
	if !*d.LoopHeard {
		t.Fatal("not heard")
	}
	if *d.LoopDelayMS < 295 || math.Abs(*d.EchoReturnDB) > 1 {
		t.Errorf("heard after %.1f ms at %.2f dB; want at least 295 ms, 0 dB", *d.LoopDelayMS, *d.EchoReturnDB)
	}
}

func TestLoudspeakerIsNotHeard(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 0)
	rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -40)) // speech in the next room
	if d := testLoudspeaker(t, rig); *d.LoopHeard || d.LoopDelayMS != nil || d.EchoReturnDB != nil {
		t.Errorf("heard after %v ms at %v dB, want not heard", d.LoopDelayMS, d.EchoReturnDB)
	}
}

func TestMutedLoudspeaker(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 50)
	rig.Control("set-sink-mute", "spk", "1")
	rig.Control("set-sink-volume", "spk", "50%")
	d := testLoudspeaker(t, rig)
	if !*d.OSMuted || *d.LoopHeard || math.Abs(*d.OSVolumeDB+18.06) > 0.1 {
		t.Errorf("muted %v, heard %v, volume %v dB; want true, false, -18.06", *d.OSMuted, *d.LoopHeard, *d.OSVolumeDB)
	}
}

// TestSoftEcho: an echo attenuated by 26 dB below a voice is still detected.
func TestSoftEcho(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 300)                    // with less buffer a loopback has gaps on a busy machine
	rig.Control("set-sink-volume", "spk", "37%") // cubic: -25.9 dB
	d := testLoudspeaker(t, rig)
	if !*d.LoopHeard {
		t.Fatal("not heard")
	}
	if math.Abs(*d.EchoReturnDB+25.9) > 1 {
		t.Errorf("heard at %.2f dB, want -25.9", *d.EchoReturnDB)
	}
}

func TestNoLoudspeaker(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	r, err := NewOutput(OutputConfig{Child: rig.Child(ChildArg)}).Run(t.Context(), probe.Env{Progress: func(probe.Event) {}})
	if err != nil || r.Status != report.StatusUnknown || r.Note == "" || r.Data != nil {
		t.Errorf("got %+v, error %v; want status unknown with a note and no data", r, err)
	}
}

// TestLoudspeakerTestIsCutOff: whatever happens during playback, the test ends with a reason,
// and no process is left.
func TestLoudspeakerTestIsCutOff(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(*pulserig.Rig, *exec.Cmd){
		"the server hangs":         func(r *pulserig.Rig, _ *exec.Cmd) { r.Suspend() },
		"the server dies":          func(r *pulserig.Rig, _ *exec.Cmd) { r.Kill() },
		"the child is killed":      func(_ *pulserig.Rig, child *exec.Cmd) { _ = child.Process.Kill() },
		"the loudspeaker vanishes": func(r *pulserig.Rig, _ *exec.Cmd) { r.Control("unload-module", "module-null-sink") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := speakerRig(t, 0)
			var child *exec.Cmd
			c := OutputConfig{Child: func(ctx context.Context) *exec.Cmd {
				child = rig.Child(ChildArg)(ctx)
				return child
			}}
			var begun bool
			r, err := NewOutput(c).Run(t.Context(), probe.Env{Progress: func(e probe.Event) {
				if e.Fraction == 0 {
					begun = true
					happens(rig, child)
				}
			}})
			if err != nil || r.Status != report.StatusUnknown || r.Note == "" {
				t.Errorf("got %+v, error %v; want status unknown with a note", r, err)
			}
			if !begun {
				t.Error("the playback did not begin")
			}
			if child.ProcessState == nil && child.Process.Signal(syscall.Signal(0)) == nil {
				t.Error("the child is still running")
			}
		})
	}
}

func TestLoudspeakerIsCutOff(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 50)
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	done := make(chan probe.Result, 1)
	go func() {
		r, _ := NewOutput(OutputConfig{Child: rig.Child(ChildArg)}).Run(ctx, probe.Env{Progress: func(e probe.Event) {
			if e.Kind == probe.EventProgress && e.Fraction == 0 {
				close(begun)
			}
		}})
		done <- r
	}()
	<-begun
	cancel()
	if r := <-done; r.Status != report.StatusUnknown || r.Data != nil {
		t.Errorf("cut off during playback: %+v, want %q without data", r, report.StatusUnknown)
	}
	pulserig.Until(t, "the child to be gone", func() bool { return !rig.Recording() })
}

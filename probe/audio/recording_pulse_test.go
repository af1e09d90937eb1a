//go:build linux && cgo

package audio

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestPlaybackOfTheOwnVoice: the participant's own voice is played back with its original
// level, and never written to a file.
func TestPlaybackOfTheOwnVoice(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 0)
	stop := rig.Play(pulserig.Say(t, pulserig.GermanText, "de", -26))
	files := t.TempDir() // where the children could write temporary files, but must not
	children := func(ctx context.Context) *exec.Cmd {
		cmd := rig.Child(ChildArg)(ctx)
		cmd.Env = append(cmd.Env, "TMPDIR="+files)
		cmd.Dir = files
		return cmd
	}
	var kept Recording
	_, d := (&check{t: t, config: InputConfig{SpeakFor: 6 * time.Second, Keep: &kept, Child: children}}).run()
	stop()
	if kept.Duration() != KeptFor {
		t.Fatalf("%v of sound kept, want %v", kept.Duration(), KeptFor)
	}
	wantSameLevel := *d.ActiveLevelDBFS

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	played := make(chan error, 1)
	heard := &check{t: t, config: InputConfig{Device: "spk.monitor", SpeakFor: 5 * time.Second, Child: rig.Child(ChildArg)}}
	heard.onLevel = func() { go func() { played <- kept.Play(ctx, children) }() }
	_, back := heard.run()
	if err := <-played; err != nil {
		t.Fatalf("play: %v", err)
	}
	if back.ActiveLevelDBFS == nil || math.Abs(*back.ActiveLevelDBFS-wantSameLevel) > 2 {
		t.Errorf("came back at %v dBFS, was %.1f", back.ActiveLevelDBFS, wantSameLevel)
	}
	assertNoFiles(t, files)

	// The next capture erases it at its start, whether it succeeds or not.
	memory := kept.ring
	r, err := NewInput(InputConfig{Device: "no such thing", Keep: &kept, Child: children}).Run(t.Context(), probe.Env{Progress: func(probe.Event) {}})
	if err != nil || r.Status != report.StatusFail || kept.Duration() != 0 {
		t.Errorf("got %v, error %v, %v of sound kept; want Status %v, 0", r, err, kept.Duration(), report.StatusFail)
	}
	for _, x := range memory {
		if x != 0 {
			t.Fatal("the old voice is still in memory")
		}
	}
}

func TestPlaybackIsCancelled(t *testing.T) {
	t.Parallel()
	rig := speakerRig(t, 0)
	var kept Recording
	kept.begin(1)
	kept.write(sine(48000, 5*48000))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := kept.Play(ctx, rig.Child(ChildArg)); err == nil { // as if it had been played to its end
		t.Error("Play with a context that ended: got no error, want one")
	}
	pulserig.Until(t, "the child to be gone", func() bool {
		return !strings.Contains(rig.Control("list", "sink-inputs"), "application.process.id")
	})
}

// assertNoFiles fails if a file was written below dir.
func assertNoFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

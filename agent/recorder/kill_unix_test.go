//go:build unix

package recorder

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// dataVariable names the environment variable with the data folder of the recorder to be
// killed.
const dataVariable = "TONPROBE_TEST_RECORDER"

// TestKilled kills a recorder with SIGKILL, and starts the next one on its files.
func TestKilled(t *testing.T) {
	if data := os.Getenv(dataVariable); data != "" {
		r := newRig(data)
		r.Board.Set(r.view)
		r.Watchers = []watch.Watcher{{Name: "one event", Run: func(ctx context.Context, emit watch.Emit) error {
			emit(report.HostEvent{At: time.Now(), Kind: report.EventClientStarted, Program: "Zoom"})
			<-ctx.Done()
			return ctx.Err()
		}}}
		t.Fatal(r.Run(t.Context()))
	}
	data := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), dataVariable+"="+data)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	probetest.Until(t, "the first samples", func() bool {
		samples, _ := Samples(data)
		return len(samples) > 0
	})
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	newRig(data).during(t, func() {
		probetest.Until(t, "the event", func() bool {
			events, _ := Events(data, time.Time{})
			return kinds(events) == "client_started Zoom, service_restarted"
		})
	})
	// A clean stop emits nothing at the next start.
	for range 2 {
		newRig(data).during(t, func() {
			probetest.Until(t, "the mark of a running recorder", func() bool {
				_, err := os.Stat(filepath.Join(data, Folder, "running"))
				return err == nil
			})
		})
	}
	if events, err := Events(data, time.Time{}); kinds(events) != "client_started Zoom, service_restarted" {
		t.Errorf("got %+v, error %v; want client_started Zoom, service_restarted", events, err)
	}
}

// TestLinksOfTheRecorder: the folder may belong to an account with fewer rights than this
// process.
func TestLinksOfTheRecorder(t *testing.T) {
	data, theirs := t.TempDir(), filepath.Join(t.TempDir(), "theirs")
	if err := errors.Join(os.Mkdir(filepath.Join(data, Folder), 0o700), os.WriteFile(theirs, []byte("kept"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() error{
		"running":        func() error { _, _, _, err := openMark(data, time.Now()); return err },
		"waiting.new":    func() error { return waitingIn(data).keep(keptEvent{}) },
		eventLayout.name: func() error { _, err := openRing(filepath.Join(data, Folder), eventLayout); return err },
	} {
		if err := os.Symlink(theirs, filepath.Join(data, Folder, name)); err != nil {
			t.Fatal(err)
		}
		if err := open(); !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s: got error %v, want %v", name, err, syscall.ELOOP)
		}
	}
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "kept" {
		t.Errorf("got %q, error %v; want the file unchanged", b, err)
	}
}

//go:build unix

package recorder

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// dataVariable is the data folder of a recorder that is killed.
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
	newRig(data).during(t, func() { time.Sleep(time.Millisecond) }) // the end in order says nothing
	if events, err := Events(data, time.Time{}); kinds(events) != "client_started Zoom, service_restarted" {
		t.Errorf("%+v, %v", events, err)
	}
}

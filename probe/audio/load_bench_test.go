//go:build linux && cgo

package audio

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
)

// BenchmarkCapture measures the CPU load of a running capture, in percent of one
// core, of this process, which analyses, and of the child, which records, and the
// cost of starting the child. See docs/measured.md.
func BenchmarkCapture(b *testing.B) {
	rig := pulserig.Start(b, pulserig.Config{})
	rig.Play(pulserig.Say(b, pulserig.GermanText, "de", -26))
	debug.FreeOSMemory() // memory used by the preparation must not be released during the capture
	const span = 10 * time.Second
	var parent, child, start, lasted time.Duration
	for b.Loop() {
		var cmd *exec.Cmd
		var from, to load
		config := InputConfig{SpeakFor: span, Child: func(ctx context.Context) *exec.Cmd {
			cmd = rig.Child(ChildArg)(ctx)
			cmd.Env = append(cmd.Env, "GOMAXPROCS=1") // as capture.SelfCommand sets it
			return cmd
		}}
		progress := func(e probe.Event) {
			switch {
			case e.Kind == probe.EventListening:
				from = loadNow(b, cmd)
			case e.Kind == probe.EventLevel && to.at.IsZero() && time.Since(from.at) > span-time.Second:
				to = loadNow(b, cmd)
			}
		}
		if _, err := NewInput(config).Run(b.Context(), probe.Env{Progress: progress}); err != nil {
			b.Fatal(err)
		}
		lasted += to.at.Sub(from.at)
		parent += to.parent - from.parent
		child += to.child - from.child
		start += from.child
	}
	b.ReportMetric(100*parent.Seconds()/lasted.Seconds(), "%core-parent")
	b.ReportMetric(100*child.Seconds()/lasted.Seconds(), "%core-child")
	b.ReportMetric(100*(parent+child).Seconds()/lasted.Seconds(), "%core")
	b.ReportMetric(float64(start.Milliseconds())/float64(b.N), "ms-start")
}

// load is the processor time used up to a moment.
type load struct {
	at            time.Time
	parent, child time.Duration
}

func loadNow(b *testing.B, child *exec.Cmd) load {
	b.Helper()
	return load{time.Now(), processTime(b, os.Getpid()), processTime(b, child.Process.Pid)}
}

// processTime sums the scheduler's times of a process's threads, in nanoseconds.
// The ticks of /proc/PID/stat are as long as the whole load of such a period.
func processTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		b.Fatalf("no times of process %d: %v", pid, err)
	}
	var total time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		var ran time.Duration
		if err == nil {
			_, err = fmt.Sscan(string(text), &ran)
		}
		if err != nil {
			b.Fatal(err)
		}
		total += ran
	}
	return total
}

package capture

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// quick returns timeouts for children that do not wait for hardware. Starting a
// process takes time on a loaded machine.
func quick() Patience {
	ms := 2 * time.Second
	return Patience{Hello: 20 * time.Second, Server: ms, Open: ms, First: ms, Next: ms}
}

func runFake(t *testing.T, name string, op Op, p Patience, handle func(Message) error) error {
	t.Helper()
	if handle == nil {
		handle = func(Message) error { return nil }
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := fakeCommand(ctx, name)
	err := Session{Command: cmd, Request: Request{Op: op, LimitMS: 30000}, Patience: p}.Run(ctx, handle)
	if ctx.Err() != nil {
		t.Fatalf("%s: the parent hung", name)
	}
	if cmd.ProcessState == nil {
		t.Errorf("%s: the child is still running", name)
	}
	return err
}

func TestFaultyChildren(t *testing.T) {
	for name, want := range map[string]report.CaptureState{
		"garbage":         report.CaptureDied,
		"dies":            report.CaptureDied,
		"wrong version":   report.CaptureDied,
		"no greeting":     report.CaptureDied,
		"too many":        report.CaptureDied,
		"sound too early": report.CaptureDied,
		"huge":            report.CaptureDied,
		"half a frame":    report.CaptureDied,
		"server hangs":    report.CaptureNoServer,
		"open hangs":      report.CaptureStalled,
		"no sound":        report.CaptureStalled,
		"stalls":          report.CaptureStalled,
		"states only":     report.CaptureStalled,
		"busy":            report.CaptureInUse,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runFake(t, name, OpCapture, quick(), nil)
			var e *Error
			if !errors.As(err, &e) || e.State != want || e.Text == "" {
				t.Errorf("got error %v, want state %q", err, want)
			}
		})
	}
}

func TestSilentChild(t *testing.T) {
	t.Parallel()
	p := quick()
	p.Hello = 200 * time.Millisecond
	var e *Error
	if err := runFake(t, "silent", OpCapture, p, nil); !errors.As(err, &e) || e.State != report.CaptureDied {
		t.Errorf("got error %v, want state %q", err, report.CaptureDied)
	}
}

func TestEnough(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"healthy", "floods"} {
		frames := 0
		err := runFake(t, name, OpCapture, quick(), func(m Message) error {
			if pcm, ok := m.(PCM); ok {
				if pcm.AtNS != int64(frames)*20e6 || len(pcm.Samples) != RateHz/50 || pcm.Samples[7] != 0.25 {
					t.Errorf("callback %d: %d samples at %d ns, want %d at %d", frames, len(pcm.Samples), pcm.AtNS, RateHz/50, int64(frames)*20e6)
				}
				if frames++; frames == 50 {
					return ErrEnough
				}
			}
			return nil
		})
		if err != nil || frames != 50 {
			t.Errorf("%s: got %d callbacks, error %v; want 50", name, frames, err)
		}
	}
}

func TestHandlersErrorEndsTheChild(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	if err := runFake(t, "healthy", OpCapture, quick(), func(Message) error { return mine }); err != mine {
		t.Errorf("got error %v, want that of the handler", err)
	}
}

func TestSlowHandlerIsNotAStall(t *testing.T) {
	t.Parallel()
	slept := false
	p := quick()
	err := runFake(t, "healthy", OpCapture, p, func(m Message) error {
		if _, ok := m.(PCM); !ok {
			return nil
		}
		if slept {
			return ErrEnough
		}
		slept = true
		<-time.After(2 * p.Next)
		return nil
	})
	if err != nil {
		t.Errorf("got error %v, want none", err)
	}
}

func TestCancelledSession(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := fakeCommand(ctx, "healthy")
	err := Session{Command: cmd, Request: Request{Op: OpCapture, LimitMS: 1000}, Patience: quick()}.Run(ctx, func(Message) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestListingEndsWithItsChild(t *testing.T) {
	t.Parallel()
	var got Devices
	err := runFake(t, "lists", OpDevices, quick(), func(m Message) error {
		if d, ok := m.(Devices); ok {
			got = d
		}
		return nil
	})
	if err != nil || len(got.Devices) != 1 {
		t.Errorf("got %v, error %v; want 1 device", got, err)
	}
}

func TestNoSuchProgram(t *testing.T) {
	t.Parallel()
	err := Session{Command: exec.Command("/nonexistent/program"), Patience: quick()}.Run(t.Context(), nil)
	var e *Error
	if !errors.As(err, &e) || e.State != report.CaptureDied {
		t.Errorf("got error %v, want state %q", err, report.CaptureDied)
	}
}

// TestRealChildEnds: the real child, without a sound system, exits when its parent has exited,
// at its time limit, and after an invalid request.
func TestRealChildEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(request string) (wait func() int, closeInput func()) {
		cmd := exec.Command(os.Args[0], ChildArg)
		cmd.Env = append(os.Environ(), "PULSE_SERVER=unix:"+dir+"/none", "HOME="+dir, "XDG_RUNTIME_DIR="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		return func() int {
			_ = cmd.Wait()
			return cmd.ProcessState.ExitCode()
		}, func() { in.Close() }
	}
	for request, want := range map[string]int{
		"{}\n": exitBadInput, "nonsense\n": exitBadInput,
		`{"op":"capture","limit_ms":99999999}` + "\n": exitBadInput,
		`{"op":"format-disk","limit_ms":1000}` + "\n": exitBadInput,
		`{"op":"devices","limit_ms":20000}` + "\n":    exitOK,
	} {
		wait, _ := start(request)
		if got := wait(); got != want {
			t.Errorf("%q: exit status %d, want %d", request, got, want)
		}
	}
	wait, closeInput := start(`{"op":"cap`)
	closeInput()
	if got := wait(); got != exitBadInput {
		t.Errorf("half a request: exit status %d, want %d", got, exitBadInput)
	}
}

// TestEndAfterCancellingIsNotAFailure: cancelling kills the child, and the end of its output
// may be detected before ctx is. That must not be reported as a failure of the child.
func TestEndAfterCancellingIsNotAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWatch(quick(), 0)
	defer w.timer.Stop()
	done, err := Session{Request: Request{Op: OpCapture}}.take(ctx, received{err: io.EOF}, w, nil)
	if !done || !errors.Is(err, context.Canceled) {
		t.Errorf("done %v, error %v; want true, %v", done, err, context.Canceled)
	}
}

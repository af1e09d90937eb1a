package capture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Patience contains the timeouts after which the parent kills the child.
type Patience struct {
	// Hello: the process starts. Virus scanners slow this down.
	Hello time.Duration
	// Server: the sound system answers and lists its devices.
	Server time.Duration
	// Open: the device opens and the stream starts.
	Open time.Duration
	// First: the first samples after the start. Healthy machines take up to 1.6 s.
	First time.Duration
	// Next: any further samples. A reroute to another device takes 0.9 s and more. It
	// must be longer than statePeriod, after which the child reports the reroute.
	Next time.Duration
	// Last: the state of the devices after the last sample; 0 disables it.
	Last time.Duration
}

// DefaultPatience returns timeouts that suit real machines.
func DefaultPatience() Patience {
	return Patience{Hello: 5 * time.Second, Server: 3 * time.Second, Open: 3 * time.Second, First: 3 * time.Second, Next: 1500 * time.Millisecond, Last: 1200 * time.Millisecond}
}

// Session configures one child.
type Session struct {
	// Command is the child, not yet started. nil means this program with ChildArg.
	Command  *exec.Cmd
	Request  Request
	Patience Patience
	// Sound is what OpPlay and OpLoop play: interleaved, with Request.Channels
	// channels. Run sets Request.Frames.
	Sound []float32
	Log   *slog.Logger
}

// Error states why a session ended before its handler had enough.
type Error struct {
	State  report.CaptureState
	Text   string
	Reason report.NoSoundReason
}

func (e *Error) Error() string { return e.Text }

// ErrEnough is returned by a handler that needs no more samples. A last State may
// still follow.
var ErrEnough = errors.New("captured enough")

// SelfCommand returns the command that runs this program as the child.
func SelfCommand(ctx context.Context) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, exe, ChildArg)
	// The child only copies samples. With more processors the scheduler's spinning
	// would be a third of its load.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

// killWait limits the wait for a killed child. One that hangs in the kernel is
// abandoned.
const killWait = 2 * time.Second

// Run starts the child and passes its messages to handle, one at a time, until
// handle returns an error, the child exits or falls silent, or ctx is done. The child
// has exited when Run returns.
//
// After a stream has ended, because handle had enough or no more samples arrived, Run
// requests the state of the devices once more and passes that State to handle: a
// microphone that was muted or unplugged at the last moment counts.
//
// It returns nil if handle returned ErrEnough or the child completed its work, other
// errors of handle unchanged, the error of ctx, and an *Error for every failure of the
// child.
func (s Session) Run(ctx context.Context, handle func(Message) error) error {
	if s.Request.Op.plays() && s.Request.Channels > 0 {
		s.Request.Frames = len(s.Sound) / s.Request.Channels
	}
	cmd := s.Command
	if cmd == nil {
		cmd = SelfCommand(ctx)
	}
	stdout, ask, stop, err := s.start(cmd)
	if err != nil {
		return &Error{State: report.CaptureDied, Text: fmt.Sprintf("start capture process: %v", err)}
	}
	defer stop()

	messages := make(chan received)
	abandoned := make(chan struct{})
	defer close(abandoned)
	go receive(stdout, messages, abandoned)

	w := newWatch(s.Patience, time.Duration(s.Request.Frames)*time.Second/RateHz)
	defer w.timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.timer.C:
			// If a message is pending, the child was not silent: this process was delayed, by a
			// slow handler or by suspend.
			select {
			case r := <-messages:
				if done, err := s.take(ctx, r, w, handle); done {
					return err
				}
			default:
				if w.streams() && s.wantsLastLook() {
					lastLook(ctx, ask, messages, s.Patience.Last, handle)
				}
				return w.verdict()
			}
		case r := <-messages:
			if done, err := s.take(ctx, r, w, handle); done {
				if err == nil && w.streams() && s.wantsLastLook() {
					lastLook(ctx, ask, messages, s.Patience.Last, handle)
				}
				return err
			}
		}
	}
}

func (s Session) wantsLastLook() bool {
	return s.Request.Op == OpCapture && !s.Request.Blind && s.Patience.Last > 0
}

// lastLook requests the state of the devices and passes it on. Without a reply in
// time, the previous state stands.
func lastLook(ctx context.Context, ask func(byte), messages <-chan received, patience time.Duration, handle func(Message) error) {
	ask(lastLookRequest)
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timeout.C:
			return
		case r := <-messages:
			if r.err != nil {
				return
			}
			if state, ok := r.message.(State); ok {
				_ = handle(state)
				if state.Last {
					return
				}
			}
		}
	}
}

// take handles one message and reports whether it was the last.
func (s Session) take(ctx context.Context, r received, w *watch, handle func(Message) error) (done bool, err error) {
	if r.err != nil && ctx.Err() != nil {
		return true, ctx.Err() // ctx killed the child, whose exit was noticed first
	}
	if r.err != nil {
		return true, s.ended(r.err, w.stage)
	}
	if f, ok := r.message.(Failure); ok {
		return true, &Error{State: f.State, Text: f.Text, Reason: f.Reason}
	}
	err = handle(r.message)
	w.saw(r.message)
	if errors.Is(err, ErrEnough) {
		return true, nil
	}
	return err != nil, err
}

// start runs cmd with the request on its standard input, which stays open: its end
// tells the child that the parent has exited. ask writes one more byte to it; stop
// kills the child.
func (s Session) start(cmd *exec.Cmd) (stdout io.Reader, ask func(byte), stop func(), err error) {
	line, err := json.Marshal(s.Request)
	if err != nil {
		return nil, nil, nil, err
	}
	stderr := &stderrHead{limit: 4 << 10}
	cmd.Stderr = stderr
	cmd.WaitDelay = killWait
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	// A separate pipe, because Wait would close StdoutPipe while it is being read.
	out, in, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	cmd.Stdout = in
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		return nil, nil, nil, err
	}
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		err := cmd.Wait()
		if s.Log != nil {
			s.Log.Debug("capture process ended", "err", err, "stderr", stderr.String())
		}
	}()
	// A child that never reads must not block the parent. The writer ends with the child.
	requests := make(chan byte, 1)
	go func() {
		_, _ = stdin.Write(append(line, '\n'))
		if s.Request.Op.plays() {
			sound := soundBytes(s.Sound)
			_, _ = stdin.Write(sound)
			clear(sound)
		}
		for {
			select {
			case request := <-requests:
				_, _ = stdin.Write([]byte{request})
			case <-waited:
				return
			}
		}
	}()
	ask = func(request byte) {
		select {
		case requests <- request:
		default:
		}
	}
	return out, ask, func() {
		_ = cmd.Process.Kill()
		t := time.NewTimer(killWait)
		defer t.Stop()
		select {
		case <-waited:
		case <-t.C:
		}
		stdin.Close()
		out.Close()
	}, nil
}

// ended interprets the end of the child's output.
func (s Session) ended(err error, at stage) error {
	if errors.Is(err, io.EOF) {
		if s.Request.Op == OpDevices && at >= stageOpen || s.Request.Op == OpPlay && at == stagePlayed {
			return nil
		}
		return &Error{State: report.CaptureDied, Text: "the capture process ended unexpectedly"}
	}
	return &Error{State: report.CaptureDied, Text: err.Error()}
}

type received struct {
	message Message
	err     error
}

func receive(r io.Reader, to chan<- received, abandoned <-chan struct{}) {
	d := decoder{r: bufio.NewReaderSize(r, 32<<10)}
	for {
		m, err := d.next()
		select {
		case to <- received{m, err}:
		case <-abandoned:
			return
		}
		if err != nil {
			return
		}
	}
}

// stderrHead keeps the beginning of the child's standard error for the log.
type stderrHead struct {
	buf   bytes.Buffer
	limit int
}

func (t *stderrHead) Write(p []byte) (int, error) {
	if room := t.limit - t.buf.Len(); room > 0 {
		t.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *stderrHead) String() string { return t.buf.String() }

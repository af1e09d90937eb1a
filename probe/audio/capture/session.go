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

// Patience is how long the parent waits at each stage before it kills the child.
type Patience struct {
	// Hello: the system starts the process. Virus scanners make this slow.
	Hello time.Duration
	// Server: the sound system answers and lists its devices.
	Server time.Duration
	// Open: the device opens and the stream starts.
	Open time.Duration
	// First: the first sound after the start; 1-1.6 s have been seen on healthy machines.
	First time.Duration
	// Next: any further sound. A reroute to another device takes 0.9 s and more;
	// it must outlast the statePeriod after which the child tells of it.
	Next time.Duration
	// Last: the state of the devices after the last sample; 0 does without it.
	Last time.Duration
}

// DefaultPatience fits real machines.
func DefaultPatience() Patience {
	return Patience{Hello: 5 * time.Second, Server: 3 * time.Second, Open: 3 * time.Second, First: 3 * time.Second, Next: 1500 * time.Millisecond, Last: 1200 * time.Millisecond}
}

// Session is one child and how to treat it.
type Session struct {
	// Command is the child, not yet started. Nil means this program with ChildArg.
	Command  *exec.Cmd
	Request  Request
	Patience Patience
	// Sound is what OpPlay and OpLoop play: interleaved, of Request.Channels; Run
	// fills in Request.Frames.
	Sound []float32
	Log   *slog.Logger
}

// Error says why a session ended before its handler had enough.
type Error struct {
	State  report.CaptureState
	Text   string
	Reason report.NoSoundReason
}

func (e *Error) Error() string { return e.Text }

// ErrEnough is returned by a handler that needs no more sound. A last State
// may still follow.
var ErrEnough = errors.New("captured enough")

// SelfCommand is this program as the child.
func SelfCommand(ctx context.Context) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, exe, ChildArg)
	// The child only copies sound. More processors would mostly spin in wait
	// for each other, a third of its load.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

// killWait bounds the wait for a killed child; one that hangs in the kernel is
// left behind.
const killWait = 2 * time.Second

// Run starts the child and passes its messages to handle, one at a time, until
// handle returns an error, the child ends or falls silent, or ctx is done. The
// child is dead when Run returns.
//
// Where a stream has ended, because handle had enough or because no more sound
// came, Run asks the child for the state of the devices once more and hands that
// State to handle: what was muted or unplugged in the last moment counts.
//
// It returns nil when handle returned ErrEnough or the child had done its
// work, handle's other errors as they are, ctx's error, and an *Error for
// everything that befell the child.
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
			// Not the child's silence if a message waits: then it was our own
			// process that stood still, for a slow handler or a sleeping machine.
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

// lastLook asks the child for the state of the devices and hands it on. Without
// an answer in time what was known before stands.
func lastLook(ctx context.Context, ask func(byte), messages <-chan received, patience time.Duration, handle func(Message) error) {
	ask(lastLookWish)
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

// take handles one message and says whether it was the last.
func (s Session) take(ctx context.Context, r received, w *watch, handle func(Message) error) (done bool, err error) {
	if r.err != nil && ctx.Err() != nil {
		return true, ctx.Err() // its end killed the child, and that was seen first
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

// start runs cmd with the request on its standard input, which stays open: its
// end tells the child that the parent is gone. ask writes one more byte to it;
// stop kills the child.
func (s Session) start(cmd *exec.Cmd) (stdout io.Reader, ask func(byte), stop func(), err error) {
	line, err := json.Marshal(s.Request)
	if err != nil {
		return nil, nil, nil, err
	}
	stderr := &complaint{limit: 4 << 10}
	cmd.Stderr = stderr
	cmd.WaitDelay = killWait
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	// A pipe of our own: Wait would close StdoutPipe under the reader.
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
	// A child that never reads must not hold us up; its end ends the writing.
	wishes := make(chan byte, 1)
	go func() {
		_, _ = stdin.Write(append(line, '\n'))
		if s.Request.Op.plays() {
			sound := soundBytes(s.Sound)
			_, _ = stdin.Write(sound)
			clear(sound)
		}
		for {
			select {
			case wish := <-wishes:
				_, _ = stdin.Write([]byte{wish})
			case <-waited:
				return
			}
		}
	}()
	ask = func(wish byte) {
		select {
		case wishes <- wish:
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

// ended says what the end of the child's output means.
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

// complaint keeps the beginning of what a child complains about, for the log.
type complaint struct {
	buf   bytes.Buffer
	limit int
}

func (t *complaint) Write(p []byte) (int, error) {
	if room := t.limit - t.buf.Len(); room > 0 {
		t.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *complaint) String() string { return t.buf.String() }

package capture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Exit statuses of the child. A failure of the device is reported by a Failure
// frame and status 0.
const (
	exitOK       = 0
	exitBadInput = 2
	exitLimit    = 3 // the time limit expired
)

const (
	maxRequest   = 64 << 10
	queuedFrames = 64 // about 6 s of sound, two periods in each
	// periodMS is the time between two callbacks, which allows 20 meter readings a
	// second. It is not shorter because waking two processes is most of the cost of a
	// capture.
	periodMS = 50
)

// engine is a connection to a sound system.
type engine interface {
	backend() string
	// devices lists all capture devices, including monitors.
	devices() ([]Device, error)
	// start streams the device with the ID (the default device if empty) until the
	// process ends. onFrames receives interleaved 32-bit floats and must not retain them.
	start(deviceID string, channels int, onFrames func(samples []byte), onStop func()) error
	// outputs lists the loudspeakers.
	outputs() ([]Device, error)
	// play requests interleaved 32-bit floats from fill until the process ends.
	play(deviceID string, channels int, fill func(samples []byte)) error
}

// ChildMain runs the child: it reads one Request from in, writes frames to out and
// returns the exit status. It returns when the request is complete, when in is
// closed (the parent has exited) or when the request's time limit expires, even if a
// call into a sound library is still blocked. The caller must exit at once.
func ChildMain(in io.Reader, out io.Writer) int {
	// Some libraries print to standard output, which would corrupt the frames.
	if out == io.Writer(os.Stdout) {
		os.Stdout = os.Stderr
	}
	// The terminal sends Ctrl-C to both processes; the parent handles it.
	if in == io.Reader(os.Stdin) {
		signal.Ignore(os.Interrupt)
	}
	input := bufio.NewReaderSize(in, maxRequest)
	req, err := readRequest(input)
	var sound []byte
	if err == nil {
		sound, err = readSound(input, req)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitBadInput
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	parentGone := make(chan struct{})
	c := &child{start: time.Now(), out: make(chan []byte, queuedFrames), lastLook: make(chan struct{}, 1)}
	go func() {
		defer close(parentGone)
		for {
			wish, err := input.ReadByte()
			if err != nil {
				return
			}
			if wish == lastLookRequest {
				select {
				case c.lastLook <- struct{}{}:
				default:
				}
			}
		}
	}()
	written := make(chan struct{})
	go func() {
		defer close(written)
		for frame := <-c.out; frame != nil; frame = <-c.out {
			if _, err := out.Write(frame); err != nil {
				return
			}
		}
	}()
	go c.serve(ctx, req, sound)

	limit := time.NewTimer(time.Duration(req.LimitMS) * time.Millisecond)
	defer limit.Stop()
	select {
	case <-written:
		return exitOK
	case <-parentGone:
		return exitOK
	case <-limit.C:
		return exitLimit
	}
}

func readRequest(r *bufio.Reader) (Request, error) {
	line, err := r.ReadSlice('\n') // at most the size of the buffer
	if err != nil {
		return Request{}, fmt.Errorf("read capture request: %w", err)
	}
	var req Request
	if err := json.Unmarshal(line, &req); err != nil {
		return Request{}, fmt.Errorf("read capture request: %w", err)
	}
	if !slices.Contains([]Op{OpDevices, OpCapture, OpPlay, OpLoop}, req.Op) {
		return Request{}, fmt.Errorf("read capture request: unknown operation %q", req.Op)
	}
	if req.LimitMS < 1 || req.LimitMS > MaxLimit.Milliseconds() {
		return Request{}, fmt.Errorf("read capture request: a time limit of %d ms", req.LimitMS)
	}
	return req, nil
}

// child writes frames through a queue, so that a callback of the sound system and
// a slow parent never block each other.
type child struct {
	start time.Time
	out   chan []byte // nil ends the stream; never closed, because a callback may still send
	// lastLook receives the parent's request for the state after the last sample.
	lastLook chan struct{}

	// Owned by the callback: the period that is held until the next one, its length
	// including the frames lost before it, and the frames lost since.
	held             []byte
	heldFrames, lost uint32
}

func (c *child) sinceStart() int64 { return time.Since(c.start).Nanoseconds() }

func (c *child) send(m Message) {
	frame, err := jsonFrame(m.message(), m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	c.out <- frame
}

func (c *child) serve(ctx context.Context, req Request, sound []byte) {
	c.send(Hello{Version: protocolVersion})
	if err := c.run(ctx, req, sound); err != nil {
		c.send(failureOf(err))
	}
	c.out <- nil
}

func (c *child) run(ctx context.Context, req Request, sound []byte) error {
	if req.Op == OpPlay {
		return c.play(ctx, req, sound)
	}
	system, err := openEngine()
	if err != nil {
		return err
	}
	devices, err := system.devices()
	if err != nil {
		return err
	}
	// The system's own information about monitors and Bluetooth is better than a guess
	// from the name. Read limits the time for which a slow server delays the stream.
	state, stateErr := osstate.Read(ctx, 0)
	if stateErr == nil {
		devices = withState(devices, state)
	}
	c.send(Devices{Backend: system.backend(), Devices: devices})
	if stateErr == nil {
		c.send(State{Snapshot: state})
	}
	if req.Op == OpDevices {
		return nil
	}
	return c.capture(ctx, system, devices, req, sound)
}

// withState adds what the system reports to the devices of the capture library.
func withState(devices []Device, s osstate.Snapshot) []Device {
	for i := range devices {
		d := &devices[i]
		d.IsDefaultComms = s.DefaultCommsID != "" && d.ID == s.DefaultCommsID
		known, ok := s.Devices[d.ID]
		if !ok {
			continue
		}
		if s.DefaultID != "" {
			d.IsDefault = d.ID == s.DefaultID
		}
		d.Product = known.Product
		setIf(&d.IsMonitor, known.IsMonitor)
		setIf(&d.IsBluetooth, known.IsBluetooth)
		setIf(&d.NativeRateHz, known.NativeRateHz)
		setIf(&d.NativeChannels, known.NativeChannels)
	}
	return devices
}

func setIf[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (c *child) capture(ctx context.Context, system engine, devices []Device, req Request, sound []byte) error {
	device, err := pick(devices, req.Device)
	if err != nil {
		return err
	}
	// The default device is opened without its ID, so that the system treats the
	// stream like that of a conference program.
	openID := device.ID
	if req.Device == "" && device.IsDefault {
		openID = ""
	}
	channels := min(max(device.NativeChannels, 1), MaxChannels)
	gate := make(chan struct{}) // PCM must not be sent before Started
	flowing := make(chan struct{})
	var first sync.Once
	onFrames := func(samples []byte) {
		at := c.sinceStart()
		first.Do(func() { close(flowing) })
		select {
		case <-gate:
			c.sendPCM(at, samples, channels)
		case <-ctx.Done():
		}
	}
	onStop := func() {
		select {
		case c.out <- newFrame(kindStop, 0):
		default:
		}
	}
	at := c.sinceStart()
	if err := system.start(openID, channels, onFrames, onStop); err != nil {
		return err
	}
	c.send(Started{Device: device, RateHz: RateHz, Channels: channels, PeriodMS: periodMS, AtNS: at})
	close(gate)
	if req.Op == OpLoop {
		select {
		case <-flowing:
		case <-ctx.Done():
			return nil
		}
		time.Sleep(loopSettle)
		if err := c.play(ctx, req, sound); err != nil {
			return err
		}
	}
	if !req.Blind {
		c.watchState(ctx)
	}
	<-ctx.Done() // until the parent ends it
	return nil
}

// sendPCM runs in the callback of the sound system and never blocks. It sends two
// periods at a time, each in a frame of its own, because waking the parent costs
// more than processing the samples.
func (c *child) sendPCM(at int64, samples []byte, channels int) {
	frames := uint32(len(samples) / (4 * channels))
	if c.held == nil {
		lost := c.lost
		c.held, c.heldFrames, c.lost = pcmFrame(at, lost, samples), lost+frames, 0
		return
	}
	two := append(c.held, pcmFrame(at, 0, samples)...)
	c.held = nil
	select {
	case c.out <- two:
	default:
		c.lost = c.heldFrames + frames
	}
}

// startError is an error that is sent to the parent as a Failure.
type startError struct {
	state  report.CaptureState
	text   string
	reason report.NoSoundReason
}

func (e *startError) Error() string { return e.text }

func failureOf(err error) Failure {
	var e *startError
	if errors.As(err, &e) {
		return Failure{State: e.state, Text: e.text, Reason: e.reason}
	}
	return Failure{State: report.CaptureDied, Text: err.Error()}
}

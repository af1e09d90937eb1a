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

// Exit statuses of the child. Whatever went wrong with the device is a Failure
// frame and status 0.
const (
	exitOK       = 0
	exitBadInput = 2
	exitLimit    = 3 // the time limit ran out
)

const (
	maxRequest   = 64 << 10
	queuedFrames = 64 // about 6 s of sound, two periods in each
	// periodMS is the time between two callbacks: 20 readings of the meter a
	// second, and no more, as waking up two processes is most of what a capture
	// costs.
	periodMS = 50
)

// engine is a sound system that was reached.
type engine interface {
	backend() string
	// devices lists everything that can be captured, monitors included.
	devices() ([]Device, error)
	// start streams the device with the ID (the default one if empty) until the
	// process ends. onFrames gets interleaved 32-bit floats that it must not keep.
	start(deviceID string, channels int, onFrames func(samples []byte), onStop func()) error
	// outputs lists the loudspeakers.
	outputs() ([]Device, error)
	// play asks fill for interleaved 32-bit floats until the process ends.
	play(deviceID string, channels int, fill func(samples []byte)) error
}

// ChildMain is the whole child: it reads one Request from in, writes frames to
// out and returns the exit status. It returns when the request is fulfilled,
// when in is closed (the parent is gone) or when the request's time limit runs
// out, whatever a sound library is doing then: the caller must exit at once.
func ChildMain(in io.Reader, out io.Writer) int {
	// Libraries print to standard output now and then, which would break the frames.
	if out == io.Writer(os.Stdout) {
		os.Stdout = os.Stderr
	}
	// Ctrl-C goes to the whole terminal; the parent decides what it means.
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
			if wish == lastLookWish {
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
	line, err := r.ReadSlice('\n') // no longer than the buffer
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

// child writes frames through one queue, so that neither a callback of the
// sound system nor a slow parent ever waits for the other.
type child struct {
	start time.Time
	out   chan []byte // nil ends it; never closed, as a callback may still send
	// lastLook gets the parent's wish for the state after the last sample.
	lastLook chan struct{}

	// Of the callback alone: the period that waits for the next one, its length
	// with what was lost before it, and what was lost since.
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
	// The system's own word on monitors and Bluetooth is better than a guess by
	// name. The stream does not wait for a server that answers slowly.
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

// withState adds what the system knows to what the capture library lists.
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
	// The default device is opened as such, without its ID, so that the system
	// treats the stream as it treats that of a conference program.
	openID := device.ID
	if req.Device == "" && device.IsDefault {
		openID = ""
	}
	channels := min(max(device.NativeChannels, 1), MaxChannels)
	gate := make(chan struct{}) // PCM must not overtake Started
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
	<-ctx.Done() // the parent ends it
	return nil
}

// sendPCM runs in the sound system's callback and never blocks. It hands on two
// periods at a time, each in a frame of its own: to wake up the parent costs more
// than what it does with the sound.
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

// startError is a Failure on its way to the parent.
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

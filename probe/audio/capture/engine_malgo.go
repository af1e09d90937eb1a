//go:build cgo && (linux || windows || darwin)

package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gen2brain/malgo"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Built reports whether this build can record.
const Built = true

// malgoEngine uses miniaudio with one backend. It releases nothing: the exit of the
// child does, and miniaudio can hang while releasing (issue 1034).
type malgoEngine struct {
	ctx     *malgo.AllocatedContext
	system  soundSystem
	ids     map[string]malgo.DeviceID
	running *malgo.Device
}

// soundSystem is one backend and its peculiarities.
type soundSystem struct {
	name    string
	backend malgo.Backend
	// id converts miniaudio's union to the system's name of the device.
	id func(malgo.DeviceID) string
	// real reports whether an enumerated device is not a pseudo-device.
	real func(id, name string) bool
	// formatsElsewhere means that miniaudio must not be asked for the formats of a
	// device. Package osstate provides them.
	formatsElsewhere bool
	// answers reports whether the system serves new clients, if it is not nil. Opening
	// it is then repeated.
	answers func(context.Context) bool
	// record replaces miniaudio's capture if it is not nil; see engine.start.
	record func(deviceID string, channels int, onFrames func([]byte), onStop func()) error
}

// openEngine tries the sound systems of this platform in order. The list is always
// explicit: by default miniaudio falls back to the null backend, whose silence looks
// like a muted microphone.
func openEngine() (engine, error) {
	if err := refuseEarly(); err != nil {
		return nil, err
	}
	var lastErr error
	for _, s := range soundSystems() {
		ctx, err := s.open()
		if err == nil {
			return &malgoEngine{ctx: ctx, system: s}, nil
		}
		lastErr = err
		// If another user's server holds the hardware, any other way to it would report
		// that it is busy.
		if why := whyNoSound(); why != nil && why.state == report.CaptureNoSession {
			return nil, why
		}
	}
	if why := whyNoSound(); why != nil {
		return nil, why
	}
	return nil, noServer(lastErr)
}

// openAttempts limits how often a system that answers is opened.
const openAttempts = 5

// open connects to the sound system. libpulse gives up at once if the queue of the
// server's socket is full (EAGAIN), which reads as a missing server. answers waits for
// room in the queue.
func (s soundSystem) open() (*malgo.AllocatedContext, error) {
	for attempt := 1; ; attempt++ {
		// No log callback: miniaudio calls it while holding the mutex that Devices acquires.
		ctx, err := malgo.InitContext([]malgo.Backend{s.backend}, malgo.ContextConfig{}, nil)
		if err == nil || attempt == openAttempts || s.answers == nil || !s.answers(context.Background()) {
			return ctx, err
		}
	}
}

func (e *malgoEngine) backend() string { return e.system.name }

func (e *malgoEngine) devices() ([]Device, error) { return e.list(malgo.Capture) }

func (e *malgoEngine) outputs() ([]Device, error) { return e.list(malgo.Playback) }

func (e *malgoEngine) list(kind malgo.DeviceType) ([]Device, error) {
	infos, err := e.ctx.Devices(kind)
	if err != nil {
		return nil, fmt.Errorf("list sound devices: %w", err)
	}
	e.ids = make(map[string]malgo.DeviceID, len(infos))
	var devices []Device
	for _, info := range infos {
		id, name := e.system.id(info.ID), info.Name()
		if e.system.real != nil && !e.system.real(id, name) {
			continue
		}
		e.ids[id] = info.ID
		d := Device{Name: strings.ToValidUTF8(name, "\uFFFD"), ID: id, IsDefault: info.IsDefault != 0}
		d.IsMonitor = strings.HasPrefix(name, "Monitor of ") || strings.HasSuffix(id, ".monitor")
		if !e.system.formatsElsewhere {
			d.NativeRateHz, d.NativeChannels = e.formats(kind, info.ID)
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// formats returns the native rate and number of channels, which only DeviceInfo provides; 0 if
// it does not.
func (e *malgoEngine) formats(kind malgo.DeviceType, id malgo.DeviceID) (rateHz, channels int) {
	full, err := e.ctx.DeviceInfo(kind, id, malgo.Shared)
	if err != nil || len(full.Formats) == 0 {
		return 0, 0
	}
	return int(full.Formats[0].SampleRate), int(full.Formats[0].Channels)
}

func (e *malgoEngine) start(deviceID string, channels int, onFrames func([]byte), onStop func()) error {
	if e.system.record != nil {
		return e.system.record(deviceID, channels, onFrames, onStop)
	}
	cfg := malgo.DefaultDeviceConfig(malgo.Capture)
	cfg.SampleRate = RateHz
	cfg.PeriodSizeInMilliseconds = periodMS
	cfg.Capture.Format = malgo.FormatF32
	cfg.Capture.Channels = uint32(channels) // never 0: opening native channels without a source aborts in libpulse
	if id, ok := e.ids[deviceID]; ok {
		cfg.Capture.DeviceID = id.Pointer() // leaks 256 bytes once
	}
	device, err := malgo.InitDevice(e.ctx.Context, cfg, malgo.DeviceCallbacks{
		Data: func(_, in []byte, _ uint32) { onFrames(in) },
		Stop: onStop,
	})
	if err != nil {
		return openError("microphone", err)
	}
	e.running = device
	if err := device.Start(); err != nil {
		return openError("microphone", err)
	}
	return nil
}

func (e *malgoEngine) play(deviceID string, channels int, fill func([]byte)) error {
	cfg := malgo.DefaultDeviceConfig(malgo.Playback)
	cfg.SampleRate = RateHz
	cfg.PeriodSizeInMilliseconds = playPeriodMS
	cfg.Playback.Format = malgo.FormatF32
	cfg.Playback.Channels = uint32(channels)
	if id, ok := e.ids[deviceID]; ok {
		cfg.Playback.DeviceID = id.Pointer()
	}
	device, err := malgo.InitDevice(e.ctx.Context, cfg, malgo.DeviceCallbacks{
		Data: func(out, _ []byte, _ uint32) { fill(out) },
	})
	if err != nil {
		return openError("loudspeaker", err)
	}
	e.running = device
	if err := device.Start(); err != nil {
		return openError("loudspeaker", err)
	}
	return nil
}

// openError classifies the error of a device that does not open.
func openError(what string, err error) error {
	state := report.CaptureDied
	switch {
	case errors.Is(err, malgo.ErrAccessDenied):
		state = report.CaptureRefused
	case errors.Is(err, malgo.ErrBusy), errors.Is(err, malgo.ErrAlreadyInUse):
		state = report.CaptureInUse // AUDCLNT_E_DEVICE_IN_USE, EBUSY
	case errors.Is(err, malgo.ErrNoDevice), errors.Is(err, malgo.ErrDoesNotExist):
		state = report.CaptureNoDevice
	}
	return &startError{state: state, text: fmt.Sprintf("open %s: %v", what, err)}
}

func noServer(err error) error {
	text := "no sound system answers"
	if err != nil {
		text = fmt.Sprintf("no sound system answers: %v", err)
	}
	return &startError{state: report.CaptureNoServer, text: text}
}

// cStringID converts a device ID that is a NUL-terminated string.
func cStringID(id malgo.DeviceID) string {
	s, _, _ := strings.Cut(string(id[:]), "\x00")
	return s
}

package audio

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Device is a capture device. Its name is as the system shows it and may hold
// a person's name: it is for this machine's screen only.
type Device = capture.Device

// DeviceError says why no devices could be listed.
type DeviceError = capture.Error

// Child makes the capture process; nil stands for this program with ChildArg.
type Child func(ctx context.Context) *exec.Cmd

// devicesLimit ends a listing child by itself.
const devicesLimit = 15 * time.Second

// Devices lists what can be captured, monitors of loudspeakers included and
// marked. An empty list without an error means a sound system without any
// device; a *DeviceError carries the state, such as report.CaptureNoServer.
func Devices(ctx context.Context, child Child) ([]Device, error) {
	if !capture.Built {
		return nil, &DeviceError{State: report.CaptureNotBuilt, Text: noteNotBuilt}
	}
	s := capture.Session{
		Request:  capture.Request{Op: capture.OpDevices, LimitMS: devicesLimit.Milliseconds()},
		Patience: capture.DefaultPatience(),
	}
	if child != nil {
		s.Command = child(ctx)
	}
	devices := []Device{}
	err := s.Run(ctx, func(m capture.Message) error {
		if list, ok := m.(capture.Devices); ok {
			devices = append(devices, list.Devices...)
			return capture.ErrEnough
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return devices, nil
}

// errorState is the capture state that err carries, if any.
func errorState(err error) (report.CaptureState, string, bool) {
	var e *capture.Error
	if errors.As(err, &e) {
		return e.State, e.Text, true
	}
	return "", "", false
}

package audio

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Device is a capture device. Its name is the one the system shows. It may contain
// a person's name and must not leave this machine.
type Device = capture.Device

// DeviceError is the error of Devices. It carries the capture state.
type DeviceError = capture.Error

// Child returns the command of the capture process. A nil Child runs this program
// with ChildArg.
type Child func(ctx context.Context) *exec.Cmd

// devicesLimit is the time after which a listing child terminates itself.
const devicesLimit = 15 * time.Second

// Devices lists the capture devices, including monitors of loudspeakers, which are
// marked. An empty list without an error means that the sound system has no
// device. A *DeviceError carries the state, such as report.CaptureNoServer.
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

// errorState returns the capture state that err carries, if any.
func errorState(err error) (report.CaptureState, string, bool) {
	var e *capture.Error
	if errors.As(err, &e) {
		return e.State, e.Text, true
	}
	return "", "", false
}

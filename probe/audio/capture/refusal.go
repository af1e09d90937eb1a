package capture

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// withReason asks the system why a microphone did not open, where the capture
// library could not tell.
func withReason(ctx context.Context, deviceID string, err error) error {
	var e *startError
	if !errors.As(err, &e) || e.state != report.CaptureDied {
		return err
	}
	switch osstate.WhyRefused(ctx, deviceID) {
	case osstate.RefusalDenied:
		return &startError{report.CaptureRefused, e.text + ": access denied"}
	case osstate.RefusalBusy:
		return &startError{report.CaptureInUse, e.text + ": device in use"}
	}
	return err
}

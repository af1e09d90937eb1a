//go:build !cgo

package audio

import (
	"errors"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestBuiltWithoutAudio(t *testing.T) {
	r, err := NewInput(InputConfig{}).Run(t.Context(), probe.Env{Progress: func(probe.Event) {}})
	d, ok := r.Data.(*report.AudioInput)
	if err != nil || !ok || d.State != report.CaptureNotBuilt || r.Status != report.StatusUnknown || r.Note != "built without audio" {
		t.Errorf("got %+v, error %v; want status unknown, state %q, note %q", r, err, report.CaptureNotBuilt, "built without audio")
	}
	r, err = NewOutput(OutputConfig{}).Run(t.Context(), probe.Env{})
	if err != nil || r.Status != report.StatusUnknown || r.Data != nil || r.Note != "built without audio" {
		t.Errorf("got %+v, error %v; want status unknown, no data, note %q", r, err, "built without audio")
	}
	_, err = Devices(t.Context(), nil)
	var e *DeviceError
	if !errors.As(err, &e) || e.State != report.CaptureNotBuilt {
		t.Errorf("got error %v, want state %q", err, report.CaptureNotBuilt)
	}
}

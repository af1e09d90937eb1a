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
		t.Errorf("%+v, %v", r, err)
	}
	r, err = NewOutput(OutputConfig{}).Run(t.Context(), probe.Env{})
	if err != nil || r.Status != report.StatusUnknown || r.Data != nil || r.Note != "built without audio" {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = Devices(t.Context(), nil)
	var e *DeviceError
	if !errors.As(err, &e) || e.State != report.CaptureNotBuilt {
		t.Errorf("%v", err)
	}
}

//go:build linux && cgo

package audio

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRefusedBySoundServer: a sound server that refuses a connection states the reason, which
// the capture library discards.
func TestRefusedBySoundServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code uint32
		want report.CaptureState
	}{
		"access denied":   {pulserig.ErrAccess, report.CaptureRefused},
		"in use":          {pulserig.ErrBusy, report.CaptureInUse},
		"unrelated error": {pulserig.ErrTooLarge, report.CaptureDied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := pulserig.Start(t, pulserig.Config{})
			rig.Refuse(c.code)
			_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
			wantState(t, d, c.want)
			if d.ActiveLevelDBFS != nil {
				t.Error("a refused microphone has a level")
			}
		})
	}
}

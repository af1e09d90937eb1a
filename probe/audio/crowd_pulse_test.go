//go:build linux && cgo

package audio

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestCrowdedSoundServer: a sound server that cannot accept a connection at the moment is not a
// missing one.
func TestCrowdedSoundServer(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	rig.Crowd(600 * time.Millisecond)
	_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
	wantState(t, d, report.CaptureComplete)
}

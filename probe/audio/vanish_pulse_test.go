//go:build linux && cgo

package audio

import (
	"fmt"
	"testing"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
)

// TestMicrophonesVanishWhileListed: microphones may appear and disappear at any time. A list may
// miss them, but listing must never end the capture process.
func TestMicrophonesVanishWhileListed(t *testing.T) {
	t.Parallel()
	rig := pulserig.Start(t, pulserig.Config{})
	t.Run("come and go", func(t *testing.T) {
		enough := make(chan struct{})
		go func() {
			defer close(enough)
			for range 25 {
				devices, err := Devices(t.Context(), rig.Child(ChildArg))
				if err != nil || len(devices) < 2 {
					t.Errorf("%d devices, %v; want at least 2, no error", len(devices), err)
				}
			}
		}()
		for round := 0; ; round++ {
			select {
			case <-enough:
				return
			default:
			}
			t.Run("plugged in", func(t *testing.T) {
				for i := range 4 {
					rig.Plug(t, fmt.Sprintf("short_%d_%d", round, i), pulserig.Plug{})
				}
			})
		}
	})
}

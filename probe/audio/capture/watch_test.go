package capture

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
)

// recordsFrom returns a state with the given stream device.
func recordsFrom(id string) State { return State{Snapshot: osstate.Snapshot{StreamDeviceID: id}} }

// TestMovedStreamGetsTimeToRestart: a moved stream gets time to restart; states alone do not
// extend it.
func TestMovedStreamGetsTimeToRestart(t *testing.T) {
	for name, tt := range map[string]struct {
		then  State
		fires bool
	}{
		"moved":          {recordsFrom("second"), false},
		"still the same": {recordsFrom("first"), true},
		"unknown device": {recordsFrom(""), true},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := DefaultPatience()
			w := newWatch(p, 0)
			defer w.timer.Stop()
			for _, m := range []Message{Hello{}, Devices{}, Started{}, recordsFrom("first"), PCM{}} {
				w.saw(m)
			}
			time.Sleep(p.Next - time.Millisecond)
			w.saw(tt.then)
			time.Sleep(2 * time.Millisecond)
			if fired := len(w.timer.C) > 0 || stopped(w.timer); fired != tt.fires {
				t.Errorf("%s: watchdog fired %v, want %v", name, fired, tt.fires)
			}
		})
	}
}

// stopped reports whether a timer has fired.
func stopped(t *time.Timer) bool {
	select {
	case <-t.C:
		return true
	default:
		return false
	}
}

// TestWatchdogOutlastsTheStates: the child reports a moved stream within statePeriod; the
// watchdog must wait longer.
func TestWatchdogOutlastsTheStates(t *testing.T) {
	if next := DefaultPatience().Next; next <= statePeriod {
		t.Errorf("watchdog fires after %v, but states arrive only every %v", next, statePeriod)
	}
}

package audio

import (
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// lookPeriod is the time between two evaluations of the sound so far. One takes
// 0.03 ms. It runs when samples arrive, so it causes no additional wake-ups.
const lookPeriod = 250 * time.Millisecond

// look emits what the report would contain if the recording ended now. It starts
// with the invitation to speak.
func (t *take) look() {
	if !t.invited || t.frames < t.lookAt {
		return
	}
	period := t.framesIn(lookPeriod)
	t.lookAt = t.frames - t.frames%period + period
	t.lookNow()
}

func (t *take) lookNow() {
	d := t.data(report.CaptureComplete)
	t.floorKnown = d.NoiseFloorDBFS != nil && !isTrue(d.NoiseFloorEstimated)
	t.progress(probe.Event{Kind: probe.EventPartial, Result: &report.Result{
		Name: report.ProbeAudioInput, Version: inputVersion, Status: coarseStatus(d), Data: d,
	}})
}

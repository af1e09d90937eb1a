package audio

import (
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// lookPeriod is the time between two looks at what is known so far. A look
// costs 0.03 ms and wakes nobody up: it is taken when sound arrives anyway.
const lookPeriod = 250 * time.Millisecond

// look tells what the report would say if the recording ended here, from the
// invitation to speak on.
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

package audio

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// Devices start with clicks, settling automatic gain, and zeros until the hardware
// runs. This part is discarded so that it is not reported as a fault.
const (
	warmUpSettle = 200 * time.Millisecond
	// warmUpZeros is how much longer digital silence is attributed to the start of the
	// hardware. A muted microphone must still be reported soon.
	warmUpZeros = 500 * time.Millisecond
)

// warmUp discards the start of a stream.
type warmUp struct {
	began bool
	done  bool
	begin int64 // ns of the first callback
	// zeroFrames is the length of the run of zeros at the end of the discarded part.
	zeroFrames int
}

// pass returns the samples that count: none during the warm-up, then all.
func (w *warmUp) pass(m capture.PCM, channels int) []float32 {
	if w.done {
		return m.Samples
	}
	if !w.began {
		w.began, w.begin = true, m.AtNS
	}
	sound := slices.IndexFunc(m.Samples, func(x float32) bool { return x != 0 })
	age := time.Duration(m.AtNS - w.begin)
	switch {
	case age < warmUpSettle:
		w.noteZeros(m.Samples, channels)
		return nil
	case sound < 0 && age < warmUpSettle+warmUpZeros:
		w.zeroFrames += len(m.Samples) / channels
		return nil
	}
	w.done = true
	if sound <= 0 {
		return m.Samples
	}
	return m.Samples[sound-sound%channels:]
}

func (w *warmUp) noteZeros(samples []float32, channels int) {
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i] != 0 {
			w.zeroFrames = (len(samples) - 1 - i) / channels
			return
		}
	}
	w.zeroFrames += len(samples) / channels
}

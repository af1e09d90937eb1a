package sound

import (
	"slices"
	"time"
)

// Devices start with clicks, settling automatic gain, and zeros until the hardware
// runs. This part is discarded so that it is not reported as a fault.
const (
	warmUpSettle = 200 * time.Millisecond
	// warmUpZeros is how much longer digital silence is attributed to the start of the
	// hardware. A muted microphone must still be reported soon.
	warmUpZeros = 500 * time.Millisecond
)

// WarmUp discards the start of a stream.
type WarmUp struct {
	Began bool
	Done  bool  // the samples count
	Begin int64 // ns of the first delivery
	// ZeroFrames is the length of the run of zeros at the end of the discarded part.
	ZeroFrames int
}

// Pass returns the samples of a delivery at atNS that count: none during the warm-up, then
// all.
func (w *WarmUp) Pass(samples []float32, atNS int64, channels int) []float32 {
	if w.Done {
		return samples
	}
	if !w.Began {
		w.Began, w.Begin = true, atNS
	}
	first := slices.IndexFunc(samples, func(x float32) bool { return x != 0 })
	age := time.Duration(atNS - w.Begin)
	switch {
	case age < warmUpSettle:
		w.noteZeros(samples, channels)
		return nil
	case first < 0 && age < warmUpSettle+warmUpZeros:
		w.ZeroFrames += len(samples) / channels
		return nil
	}
	w.Done = true
	if first <= 0 {
		return samples
	}
	return samples[first-first%channels:]
}

func (w *WarmUp) noteZeros(samples []float32, channels int) {
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i] != 0 {
			w.ZeroFrames = (len(samples) - 1 - i) / channels
			return
		}
	}
	w.ZeroFrames += len(samples) / channels
}

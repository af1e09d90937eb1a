package audio

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

const (
	chimeParts = 4
	// slipMS is how far a part of the sound may be displaced by a hiccup of the
	// sound system, which plays or records the rest of it later.
	slipMS = 250
)

// findChime looks for the whole sound, and then for the level of its parts: a
// slip in the midst of it halves the whole's correlation, and so the level that
// comes out of it, though the ear hears nothing of that.
func findChime(played, heard []float32) signal.EchoResult {
	whole := signal.Echo(played, heard, capture.RateHz)
	if !whole.Heard() {
		return whole
	}
	size := len(played) / chimeParts
	for i := range chimeParts {
		at := i * size
		part := signal.Echo(played[at:at+size], heard[min(at, len(heard)):], capture.RateHz)
		if part.Heard() && math.Abs(part.LagMS-whole.LagMS) < slipMS {
			whole.ReturnDB = max(whole.ReturnDB, part.ReturnDB)
		}
	}
	return whole
}

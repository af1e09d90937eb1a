package accuracy

import (
	"context"
	"fmt"
	"math"

	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// checkSeconds is the least that a check hears from the first voice on
// (audio.voiceWindow).
const checkSeconds = 4.5

// Window is what a check heard that began somewhere in a recording.
type Window struct {
	Judged
	FromS float64
	// Fault is false where what is wrong with the recording lies outside of the window.
	Fault bool
}

// Windows judges a fixture as checks hear it that begin at count moments, spread over the recording so that no two
// fixtures have theirs at the same distance from a frame.
func (f Fixture) Windows(ctx context.Context, studio *Studio, count int, p diagnose.Profile) ([]Window, error) {
	t, err := f.record(ctx, studio)
	if err != nil {
		return nil, err
	}
	length := min(t.seconds(checkSeconds), t.frames())
	_, shift := math.Modf(float64(f.number) * math.Phi)
	var windows []Window
	for n := range count {
		from := int((float64(n) + shift) / float64(count) * float64(t.frames()-length))
		part := t.part(stretch{from, from + length})
		outcome, err := f.judgeTake(part, p)
		if err != nil {
			return nil, fmt.Errorf("judge %q: %w", f.Name(), err)
		}
		windows = append(windows, Window{Judged{f, outcome}, float64(from) / float64(t.rateHz), f.faultIn(part, t)})
	}
	return windows, nil
}

// faultIn reports whether a part of the recording has the fixture's fault: sound that was lost between sounds, or
// more than its share of the samples clipped. Everything else lasts from the first sample to the last.
func (f Fixture) faultIn(part, whole *take) bool {
	switch f.Truth {
	case "audio.dropouts":
		return part.soundLost()
	case "audio.clipped":
		return part.atEdgePct(1) > clippedSurelyPct
	case "audio.clipped_upstream":
		return part.atEdgePct(whole.peak()) > clippedSurelyPct
	}
	return true
}

// clippedSurelyPct is the limit of 0.1 % and half of it: clipped samples that stand alone or in pairs do not count.
const clippedSurelyPct = 0.15

// soundLost reports whether a lost stretch has sound on both sides: what is lost of a quiet room nobody misses.
func (t *take) soundLost() bool {
	around, least := t.seconds(0.03), amplitude(-55)
	for _, l := range t.lost {
		if l.from < around || l.to+around > t.frames() {
			continue
		}
		if rms(t.channels[0][l.from-around:l.from]) > least && rms(t.channels[0][l.to:l.to+around]) > least {
			return true
		}
	}
	return false
}

// atEdgePct is the share of the samples that reach a magnitude.
func (t *take) atEdgePct(edge float64) float64 {
	count, total := 0, 0
	t.each(func(samples []float64) {
		for _, x := range samples {
			if math.Abs(x) >= 0.999*edge {
				count++
			}
		}
		total += len(samples)
	})
	return 100 * float64(count) / float64(total)
}

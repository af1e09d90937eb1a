package voices

import (
	"context"
	"fmt"
	"math"

	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// checkSeconds is the minimum length of a check from the first voice on (sound.voiceWindow).
const checkSeconds = 4.5

// Window is the diagnosis of a check that begins at some point of a recording.
type Window struct {
	Judged
	FromS float64
	// Fault is false if the fault of the recording is outside of the window.
	Fault bool
}

// Windows diagnoses a fixture as checks that begin at count positions. The positions differ between fixtures
// relative to the frames of the analysis.
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

// faultIn reports whether a part of the recording contains the fixture's fault: missing sound between sounds, or
// clipping above the limit. All other faults last from the first sample to the last.
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

// clippedSurelyPct is 1.5 times the limit of 0.1 %: clipped samples that are isolated or in pairs do not count.
const clippedSurelyPct = 0.15

// soundLost reports whether a lost range has sound on both sides. Loss within silence is not noticeable.
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

// atEdgePct returns the share of the samples that reach a magnitude.
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

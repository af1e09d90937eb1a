package voices

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

const (
	maxGatesReported = 1.0 // percent
	maxGapsMissed    = 3.0 // percent
)

// TestGatesOfEveryKind checks that noise gates of any speed and threshold are not
// reported as dropouts, and that real dropouts behind them are. Speakers and gates
// alternate, so that each gate has several voices.
func TestGatesOfEveryKind(t *testing.T) {
	need.Full(t, "analyses many recordings")
	var whole, lossy []Fixture
	turn := 0
	for _, thresholdDBFS := range []float64{-50, -42, -36} {
		for _, holdS := range []float64{0.005, 0.03, 0.1} {
			for _, fadeS := range []float64{0.001, 0.01, 0.05} {
				for _, who := range fourOf(speakers(), turn) {
					gated := []step{spokenAt(-24), room(-60), gateOf(thresholdDBFS, -100, holdS, fadeS)}
					f := Fixture{Speaker: who, RateHz: []int{48000, 44100, 16000}[turn%3], number: turn, steps: gated}
					f.Kind = fmt.Sprintf("gate at %g dBFS, holds %g s, fades in %g s", thresholdDBFS, holdS, fadeS)
					whole = append(whole, f)
					f.Truth, f.steps = "audio.dropouts", slices.Concat(gated, []step{gaps(8, 40)})
					lossy = append(lossy, f)
					turn++
				}
			}
		}
	}
	var accused, missed, holed int
	for _, w := range judgeWindows(t, slices.Concat(whole, lossy), 1, 1) {
		found := w.Outcome.Code() == "audio.dropouts"
		switch {
		case w.Fixture.Truth == Healthy && found:
			accused++
		case w.Fixture.Truth != Healthy && w.Fault:
			if holed++; !found {
				missed++
			}
		}
	}
	t.Logf("gaps reported in %d of %d gated voices, missed in %d of %d with gaps", accused, len(whole), missed, holed)
	if share := Share(accused, len(whole)); share > maxGatesReported {
		t.Errorf("gaps reported in %.1f %%, want at most %.0f %%", share, maxGatesReported)
	}
	if share := Share(missed, holed); share > maxGapsMissed || holed < len(lossy)/2 {
		t.Errorf("gaps missed in %.1f %% of %d, want at most %.0f %%", share, holed, maxGapsMissed)
	}
}

func fourOf(all []Speaker, from int) (some []Speaker) {
	for n := range 4 {
		some = append(some, all[(from+n)%len(all)])
	}
	return some
}

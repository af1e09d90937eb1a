package voices

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

const (
	healthyWindows = 4 // of each fixture
	faultyWindows  = 2
	// minSpeechMS is three times what a check needs to detect speech.
	minSpeechMS = 1500
	// minShortSpeechMS applies to fixtures with little speech.
	minShortSpeechMS = 1000
)

// saysLittle lists the kinds with little speech, or where half of the voice is
// breath.
var saysLittle = []string{"one short sentence", "long pauses", "breathy voice"}

// TestAnyMoment diagnoses fixtures in windows of 4.5 s, as a check does, that begin
// anywhere. A healthy voice must be healthy in each window, and be detected with a
// margin; a detector at the limit of its range, such as one for deep voices, would
// otherwise go unnoticed.
func TestAnyMoment(t *testing.T) {
	need.Full(t, "analyses hundreds of recordings")
	windows := judgeWindows(t, Fixtures(), healthyWindows, faultyWindows)
	var healthy, quiet, faulty, right, without int
	lowest := map[bool]float64{} // by whether there is little speech
	for _, w := range windows {
		f, in := w.Fixture, w.Outcome.Input
		what := fmt.Sprintf("%s, from %.2f s", f.Name(), w.FromS)
		switch {
		case f.Truth == Healthy:
			healthy++
			if w.Right() {
				quiet++
			} else {
				t.Logf("%s: got %s", what, name(w.Outcome.Code()))
			}
			little, least := slices.Contains(saysLittle, f.Kind), float64(minSpeechMS)
			if little {
				least = minShortSpeechMS
			}
			if *in.SpeechMS < least {
				t.Errorf("%s: got %.0f ms of speech, want at least %.0f", what, *in.SpeechMS, least)
			}
			if so, ok := lowest[little]; !ok || *in.SpeechMS < so {
				lowest[little] = *in.SpeechMS
			}
		case !w.Fault:
			without++
		default:
			faulty++
			if w.Right() {
				right++
			} else {
				t.Logf("%s: got %s, want %s", what, name(w.Outcome.Code()), name(f.Truth))
			}
		}
	}
	for _, line := range []string{
		fmt.Sprintf("| %d windows of healthy voices | no warning and no failure in 99 %% | %d (%.1f %%) |", healthy, quiet, Share(quiet, healthy)),
		fmt.Sprintf("| %d windows with a fault in them | right primary cause in 97 %% | %d (%.1f %%) |", faulty, right, Share(right, faulty)),
		fmt.Sprintf("least speech recognised: %.0f ms, %.0f ms in fixtures with little speech", lowest[false], lowest[true]),
	} {
		t.Log(line)
		t.Run("document", func(t *testing.T) { holdLine(t, line) })
	}
	t.Logf("%d windows without the fault of their recording", without)
	if share := Share(quiet, healthy); share < minHealthyQuiet {
		t.Errorf("no warning in %.1f %% of the healthy windows, want %.0f %%", share, minHealthyQuiet)
	}
	if share := Share(right, faulty); share < minFaultyRight {
		t.Errorf("the right primary cause in %.1f %% of the faulty windows, want %.0f %%", share, minFaultyRight)
	}
}

// judgeWindows diagnoses windows of all fixtures on all processors: healthy of each
// healthy one, faulty of each faulty one.
func judgeWindows(t *testing.T, fixtures []Fixture, healthy, faulty int) []Window {
	t.Helper()
	s, p := studio(t), profile(t)
	all := make([][]Window, len(fixtures))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(fixtures) {
					return
				}
				count := faulty
				if fixtures[i].Truth == Healthy {
					count = healthy
				}
				windows, err := fixtures[i].Windows(context.Background(), s, count, p)
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = windows
			}
		})
	}
	workers.Wait()
	return slices.Concat(all...)
}

// TestFaultIsInItsWindow: whether a window contains the fault is known from the generation of
// the recording.
func TestFaultIsInItsWindow(t *testing.T) {
	whole := tone(16000, 217.3, 4, 0.3)
	gaps(1, 40)(whole)
	at := whole.lost[0]
	gap := Fixture{Truth: "audio.dropouts"}
	for _, w := range []struct {
		from, to int
		want     bool
	}{{0, whole.frames(), true}, {at.from - 600, at.to + 600, true}, {at.from - 100, at.to + 600, false}, {at.to, whole.frames(), false}, {0, at.to - 1, false}} {
		if got := gap.faultIn(whole.part(stretch{w.from, w.to}), whole); got != w.want {
			t.Errorf("the gap %v in %d to %d: got %v, want %v", at, w.from, w.to, got, w.want)
		}
	}
	half := tone(16000, 217.3, 2, 0.3)
	clip(3, 0)(half)
	half.channels[0] = append(half.channels[0], make([]float64, half.frames())...)
	clipped := Fixture{Truth: "audio.clipped"}
	if !clipped.faultIn(half.part(stretch{0, 32000}), half) || clipped.faultIn(half.part(stretch{32000, 64000}), half) {
		t.Error("clipping was found in the wrong half")
	}
}

// holdLine compares a line of docs/accuracy.md with the measurement.
func holdLine(t *testing.T, line string) {
	t.Helper()
	document := documentOfThisEspeak(t)
	if !strings.Contains(strings.Join(strings.Fields(document), " "), line) {
		t.Errorf("docs/accuracy.md does not contain %q", line)
	}
}

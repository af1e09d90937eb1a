//go:build unix

package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/accuracy"
	"github.com/tonprobe/tonprobe/probe/audio/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// healthyAtOnce is how many captures run side by side.
const healthyAtOnce = 12

// TestHealthyVoicesLive captures healthy voices of every kind through a real
// sound server and lets no warning and no failure pass. docs/accuracy.md states
// the share it prints.
func TestHealthyVoicesLive(t *testing.T) {
	made := newRecordings(t)
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	var mu sync.Mutex
	taken, clean := 0, 0
	voices := healthyVoices(made)
	sideBySide(t, healthyAtOnce, voices, liveName, func(t *testing.T, f accuracy.Fixture) {
		mic := plugIn(t, rig, reNoID.ReplaceAllString(liveName(f), "_"), made.sound(t, f))
		r := bench{child: rig.Child(audio.ChildArg), device: mic.ID}.check(t)
		accused := slices.DeleteFunc(slices.Clone(r.Causes), func(c report.Cause) bool { return c.Severity == report.SeverityInfo })
		mu.Lock()
		defer mu.Unlock()
		taken++
		if len(accused) == 0 && r.Verdict == report.Ready {
			clean++
			return
		}
		b, _ := r.Encode()
		t.Errorf("verdict %s\n%s", r.Verdict, b)
	})
	t.Logf("%d of %d healthy voices captured live without warning or failure (%.1f %%)", clean, taken, accuracy.Share(clean, taken))
	if taken < 24 {
		t.Errorf("only %d voices", taken)
	}
}

// healthyVoices are healthy recordings of every kind, in turn at the rates and
// on the channels that microphones have. What a fixture says of the system's
// state or of a loudspeaker is not in its sound, so those are left out, as are
// those that end before the check does.
func healthyVoices(made recordings) []accuracy.Fixture {
	kinds := map[string]int{}
	var voices []accuracy.Fixture
	for _, f := range made.all {
		ordinary := slices.Contains([]int{16000, 44100, 48000}, f.RateHz)
		if f.Truth != accuracy.Healthy || f.Loop != nil || f.Device != (accuracy.Device{}) || !ordinary || f.Kind == "one short sentence" {
			continue
		}
		kind := f.Kind + f.Strength
		if kinds[kind]++; kinds[kind] == 1 {
			voices = append(voices, f)
		}
	}
	return voices
}

func liveName(f accuracy.Fixture) string { return fmt.Sprintf("%s at %d Hz", f.Name(), f.RateHz) }

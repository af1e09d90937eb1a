//go:build unix

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/accuracy"
	"github.com/tonprobe/tonprobe/probe/audio/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// healthyAtOnce is how many captures run side by side. More of them would keep
// two processors so busy that sound gets lost in truth.
const healthyAtOnce = 8

const (
	// mostHeldUp is how long the machine may keep the bench's microphone from
	// delivering: half of what a sound server keeps for a client that is late.
	mostHeldUp = 100 * time.Millisecond
	// leastTaken is how many takes there must be all the same.
	leastTaken = 24
)

// TestHealthyVoicesLive captures healthy voices of every kind through a real
// sound server and lets no warning and no failure pass. docs/accuracy.md states
// the share it prints.
func TestHealthyVoicesLive(t *testing.T) {
	made := newRecordings(t)
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	var mu sync.Mutex
	taken, clean, void := 0, 0, 0
	voices := healthyVoices(made)
	// All of them are made before the first is heard: that keeps processors busy too.
	sounds := made.sounds(t, voices)
	sideBySide(t, healthyAtOnce, voices, liveName, func(t *testing.T, f accuracy.Fixture) {
		s := sounds[f.Name()]
		mic := plugIn(t, rig, reNoID.ReplaceAllString(liveName(f), "_"), accuracy.Sound{Samples: roomOf(s), RateHz: s.RateHz, Channels: s.Channels})
		speak := func() { mic.Feed(s.Samples, 0) }
		r := bench{child: rig.Child(audio.ChildArg), device: mic.ID, during: speak}.check(t)
		accused := slices.DeleteFunc(slices.Clone(r.Causes), func(c report.Cause) bool { return c.Severity == report.SeverityInfo })
		mu.Lock()
		defer mu.Unlock()
		// Whether a take counts is decided by the bench, whatever came out of it.
		if held := mic.HeldUp(); held > mostHeldUp {
			void++
			t.Logf("void: this machine kept the microphone waiting for %v", held)
			return
		}
		taken++
		if len(accused) == 0 && r.Verdict == report.Ready {
			clean++
			return
		}
		b, _ := r.Encode()
		t.Errorf("verdict %s\n%s", r.Verdict, b)
	})
	t.Logf("%d of %d healthy voices captured live without warning or failure (%.1f %%), %d void", clean, taken, accuracy.Share(clean, taken), void)
	if taken < leastTaken {
		t.Errorf("only %d voices could be taken: this machine is too busy to tell", taken)
	}
}

// roomOf is the room in which a recording was made, while nobody speaks yet: a
// second of noise as loud as the quietest tenth of a second in it, or that of a
// quiet room where the recording has no pause. The check asks to speak only
// when it has heard that.
func roomOf(s accuracy.Sound) []float32 {
	const quietRoom, leastVoice = 3e-4, 1e-2 // -70 and -40 dBFS
	tenth := s.RateHz / 10 * s.Channels
	quietest := 1.0
	for i := 0; i+tenth <= len(s.Samples); i += tenth {
		power := 0.0
		for _, x := range s.Samples[i : i+tenth] {
			power += float64(x) * float64(x)
		}
		quietest = min(quietest, math.Sqrt(power/float64(tenth)))
	}
	if quietest > leastVoice {
		quietest = quietRoom
	}
	random := rand.New(rand.NewPCG(1, 2))
	room := make([]float32, s.RateHz*s.Channels)
	for i := range room {
		room[i] = float32(quietest * random.NormFloat64())
	}
	return room
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

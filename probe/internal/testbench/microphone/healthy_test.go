//go:build unix

package microphone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/voices"
	"github.com/tonprobe/tonprobe/probe/report"
)

// healthyAtOnce is the number of concurrent captures. With more of them, two
// processors are so busy that sound is really lost.
const healthyAtOnce = 8

const (
	// maxHeldUp is how long the machine may delay the bench's microphone: half of
	// the second that the capture makes a sound server buffer. Such a delay must
	// not cause a warning.
	maxHeldUp = 500 * time.Millisecond
	// minTaken is the minimum number of valid takes.
	minTaken = 24
	// Void takes are repeated until there are enough, a limited number of times,
	// and with fewer of them at once.
	repeatAtOnce = 3
	repeatFor    = 90 * time.Second
)

// TestHealthyVoicesLive captures healthy voices of every kind through a real sound
// server and permits neither a warning nor a failure. docs/accuracy.md states the
// share it prints.
func TestHealthyVoicesLive(t *testing.T) {
	made := newRecordings(t)
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	fixtures := healthyVoices(made)
	// All of them are generated first, because that also keeps the processors busy.
	takes := liveTakes{rig: rig, sounds: made.sounds(t, fixtures)}
	void := takes.all(t, healthyAtOnce, fixtures)
	for began := time.Now(); takes.taken < minTaken && time.Since(began) < repeatFor; {
		some := min(len(void), repeatAtOnce)
		void = append(void[some:], takes.all(t, repeatAtOnce, void[:some])...)
	}
	t.Logf("%d of %d healthy voices captured live without warning or failure (%.1f %%), %d void",
		takes.clean, takes.taken, voices.Share(takes.clean, takes.taken), len(void))
	if takes.taken < minTaken {
		t.Errorf("got %d valid takes, want at least %d: this machine is too busy for a conclusion", takes.taken, minTaken)
	}
}

// liveTakes are checks of voices with microphones of one sound server.
type liveTakes struct {
	rig    *pulserig.Rig
	sounds map[string]voices.Sound

	mu           sync.Mutex
	taken, clean int
}

// all records these voices and returns those whose takes are void. The bench's
// clock alone decides whether a take is void, before its result is evaluated; a
// valid take is never repeated.
func (l *liveTakes) all(t *testing.T, atOnce int, fixtures []voices.Fixture) (void []voices.Fixture) {
	t.Helper()
	sideBySide(t, atOnce, fixtures, liveName, func(t *testing.T, f voices.Fixture) {
		r, held := l.take(t, f)
		l.mu.Lock()
		defer l.mu.Unlock()
		if held > maxHeldUp {
			void = append(void, f)
			t.Logf("void: the machine delayed the microphone by %v", held)
			return
		}
		l.taken++
		accused := slices.ContainsFunc(r.Causes, func(c report.Cause) bool { return c.Severity != report.SeverityInfo })
		if !accused && r.Verdict == report.Ready {
			l.clean++
			return
		}
		b, _ := r.Encode()
		t.Errorf("got verdict %s, want %s without a warning\n%s", r.Verdict, report.Ready, b)
	})
	return void
}

// take checks one voice and returns the longest delay of its microphone.
func (l *liveTakes) take(t *testing.T, f voices.Fixture) (*report.Report, time.Duration) {
	t.Helper()
	s := l.sounds[f.Name()]
	mic := plugIn(t, l.rig, reNoID.ReplaceAllString(liveName(f), "_"), voices.Sound{Samples: roomOf(s), RateHz: s.RateHz, Channels: s.Channels})
	speak := func() { mic.Feed(s.Samples, 0) }
	r := bench{child: l.rig.Child(audio.ChildArg), device: mic.ID, during: speak}.check(t)
	return r, mic.HeldUp()
}

// roomOf returns one second of the room noise of a recording, at the level of its
// quietest 0.1 s, or at that of a quiet room if the recording has no pause. A check
// records this before it asks to speak.
func roomOf(s voices.Sound) []float32 {
	const quietRoom, minVoice = 3e-4, 1e-2 // -70 and -40 dBFS
	tenth := s.RateHz / 10 * s.Channels
	quietest := 1.0
	for i := 0; i+tenth <= len(s.Samples); i += tenth {
		power := 0.0
		for _, x := range s.Samples[i : i+tenth] {
			power += float64(x) * float64(x)
		}
		quietest = min(quietest, math.Sqrt(power/float64(tenth)))
	}
	if quietest > minVoice {
		quietest = quietRoom
	}
	random := rand.New(rand.NewPCG(1, 2))
	room := make([]float32, s.RateHz*s.Channels)
	for i := range room {
		room[i] = float32(quietest * random.NormFloat64())
	}
	return room
}

// healthyVoices returns healthy recordings of every kind, alternating the rates and
// channels of real microphones. It excludes fixtures with a system state or a
// loudspeaker, which are not part of the sound, and those that are shorter than a
// check.
func healthyVoices(made recordings) []voices.Fixture {
	kinds := map[string]int{}
	var fixtures []voices.Fixture
	for _, f := range made.all {
		ordinary := slices.Contains([]int{16000, 44100, 48000}, f.RateHz)
		if f.Truth != voices.Healthy || f.Loop != nil || f.Device != (voices.Device{}) || !ordinary || f.Kind == "one short sentence" {
			continue
		}
		kind := f.Kind + f.Strength
		if kinds[kind]++; kinds[kind] == 1 {
			fixtures = append(fixtures, f)
		}
	}
	return fixtures
}

func liveName(f voices.Fixture) string { return fmt.Sprintf("%s at %d Hz", f.Name(), f.RateHz) }

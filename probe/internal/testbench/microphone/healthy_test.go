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

// healthyAtOnce is how many captures run side by side. More of them would keep
// two processors so busy that sound gets lost in truth.
const healthyAtOnce = 8

const (
	// mostHeldUp is how long the machine may keep the bench's microphone from
	// delivering: half of the second that the capture has a sound server keep for
	// it. Sound that comes so late must accuse nobody.
	mostHeldUp = 500 * time.Millisecond
	// leastTaken is how many takes there must be all the same.
	leastTaken = 24
	// A void take is repeated until there are enough, but not for ever, and
	// with fewer of them side by side.
	repeatAtOnce = 3
	repeatFor    = 90 * time.Second
)

// TestHealthyVoicesLive captures healthy voices of every kind through a real
// sound server and lets no warning and no failure pass. docs/accuracy.md states
// the share it prints.
func TestHealthyVoicesLive(t *testing.T) {
	made := newRecordings(t)
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	fixtures := healthyVoices(made)
	// All of them are made before the first is heard: that keeps processors busy too.
	takes := liveTakes{rig: rig, sounds: made.sounds(t, fixtures)}
	void := takes.all(t, healthyAtOnce, fixtures)
	for began := time.Now(); takes.taken < leastTaken && time.Since(began) < repeatFor; {
		some := min(len(void), repeatAtOnce)
		void = append(void[some:], takes.all(t, repeatAtOnce, void[:some])...)
	}
	t.Logf("%d of %d healthy voices captured live without warning or failure (%.1f %%), %d void",
		takes.clean, takes.taken, voices.Share(takes.clean, takes.taken), len(void))
	if takes.taken < leastTaken {
		t.Errorf("only %d voices could be taken: this machine is too busy to tell", takes.taken)
	}
}

// liveTakes are checks of voices at microphones of one sound server.
type liveTakes struct {
	rig    *pulserig.Rig
	sounds map[string]voices.Sound

	mu           sync.Mutex
	taken, clean int
}

// all takes these voices and returns those whose takes are void. Whether a take
// counts is decided by the bench's clock alone, before anybody looks at what
// came out of it; one that counts is never repeated.
func (l *liveTakes) all(t *testing.T, atOnce int, fixtures []voices.Fixture) (void []voices.Fixture) {
	t.Helper()
	sideBySide(t, atOnce, fixtures, liveName, func(t *testing.T, f voices.Fixture) {
		r, held := l.take(t, f)
		l.mu.Lock()
		defer l.mu.Unlock()
		if held > mostHeldUp {
			void = append(void, f)
			t.Logf("void: this machine kept the microphone waiting for %v", held)
			return
		}
		l.taken++
		accused := slices.ContainsFunc(r.Causes, func(c report.Cause) bool { return c.Severity != report.SeverityInfo })
		if !accused && r.Verdict == report.Ready {
			l.clean++
			return
		}
		b, _ := r.Encode()
		t.Errorf("verdict %s\n%s", r.Verdict, b)
	})
	return void
}

// take checks one voice and tells how long its microphone was kept waiting.
func (l *liveTakes) take(t *testing.T, f voices.Fixture) (*report.Report, time.Duration) {
	t.Helper()
	s := l.sounds[f.Name()]
	mic := plugIn(t, l.rig, reNoID.ReplaceAllString(liveName(f), "_"), voices.Sound{Samples: roomOf(s), RateHz: s.RateHz, Channels: s.Channels})
	speak := func() { mic.Feed(s.Samples, 0) }
	r := bench{child: l.rig.Child(audio.ChildArg), device: mic.ID, during: speak}.check(t)
	return r, mic.HeldUp()
}

// roomOf is the room in which a recording was made, while nobody speaks yet: a
// second of noise as loud as the quietest tenth of a second in it, or that of a
// quiet room where the recording has no pause. The check asks to speak only
// when it has heard that.
func roomOf(s voices.Sound) []float32 {
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

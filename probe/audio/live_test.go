package audio_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/voices"
	"github.com/tonprobe/tonprobe/probe/report"
)

// What issue 3 asks for: the cause is named so much sound after the fault or,
// if that comes later, after the voice began.
const namedWithin = 4 * time.Second

const (
	leastNamedInTime  = 98.0 // percent of the faulty fixtures
	leastLeftInPeace  = 99.0 // percent of the healthy ones, at every look
	callbackMS        = 20
	speechBeginsAfter = 500 * time.Millisecond // as the fixtures are made
)

// zerosNamedAtMS is when the meter's coach names digital silence, long before
// the rules can be sure of it.
const zerosNamedAtMS = 1200

// naming is a live cause and how much sound had been heard by then.
type naming struct {
	code string
	at   time.Duration
}

// rehearse sends a fixture through the pipeline of a capture, with the rules
// looking on as the screen does. It returns every change of the live cause.
func rehearse(f voices.Fixture, s voices.Sound, p diagnose.Profile) (named []naming) {
	live := diagnose.NewLive(p)
	sound, certain := time.Duration(0), false
	r := audio.Rehearse(time.Minute, func(e probe.Event) {
		// Mute and zeros have a faster way, which the screen takes (meter.Coach).
		switch {
		case certain:
			return
		case e.Kind == probe.EventMuted && e.Muted:
			named, certain = []naming{{"audio.os_muted", sound}}, true
		case e.Kind == probe.EventLevel && e.Level.ZeroMS >= zerosNamedAtMS:
			named, certain = []naming{{"audio.digital_silence", sound}}, true
		}
		in, ok := partial(e)
		if !ok {
			return
		}
		before, _ := live.Cause()
		live = live.Look(in)
		if c, _ := live.Cause(); c.Code != before.Code {
			named = append(named, naming{c.Code, time.Duration(*in.CapturedMS * float64(time.Millisecond))})
		}
	})
	device, state := f.System()
	r.Handle(capture.Devices{Backend: "fixture", Devices: []capture.Device{device}})
	r.Handle(capture.State{Snapshot: osstate.Snapshot{Devices: map[string]osstate.Device{device.ID: state}}})
	r.Handle(capture.Started{Device: device, RateHz: s.RateHz, Channels: s.Channels, PeriodMS: callbackMS})
	r.WarmUp()
	size := s.RateHz * callbackMS / 1000 * s.Channels
	at := int64(0)
	for block := range slices.Chunk(s.Samples, size) {
		at += callbackMS * int64(time.Millisecond)
		sound = time.Duration(at)
		if r.Handle(capture.PCM{AtNS: at, Samples: block}) != nil {
			break
		}
	}
	return named
}

// partial is the data of a look.
func partial(e probe.Event) (*report.AudioInput, bool) {
	if e.Kind != probe.EventPartial {
		return nil, false
	}
	in, ok := e.Result.Data.(*report.AudioInput)
	return in, ok
}

// faultFrom is when the fault can first be heard: with the voice, or with the
// first sample that is lost or clipped.
func faultFrom(f voices.Fixture, s voices.Sound) time.Duration {
	first := 0
	frames := func(is func(x float32) bool, run int) int {
		have := 0
		for i := s.RateHz * int(speechBeginsAfter/time.Millisecond) / 1000 * s.Channels; i < len(s.Samples); i++ {
			if have++; !is(s.Samples[i]) {
				have = 0
			}
			if have == run {
				return i / s.Channels
			}
		}
		return 0
	}
	switch f.Truth {
	case "audio.dropouts":
		first = frames(func(x float32) bool { return x == 0 }, s.RateHz/100*s.Channels)
	case "audio.clipped", "audio.clipped_upstream":
		peak := float32(0)
		for _, x := range s.Samples {
			peak = max(peak, float32(math.Abs(float64(x))))
		}
		first = frames(func(x float32) bool { return float32(math.Abs(float64(x))) >= 0.98*peak }, 1)
	}
	return max(speechBeginsAfter, time.Duration(first)*time.Second/time.Duration(s.RateHz))
}

// rehearsed is one fixture and what was said of it.
type rehearsed struct {
	voices.Fixture
	named []naming
	from  time.Duration
}

// inTime reports whether the truth was the live cause at the time it had to be.
func (r rehearsed) inTime() bool { return r.causeAt(r.from+namedWithin) == r.Truth }

func (r rehearsed) causeAt(at time.Duration) (code string) {
	for _, n := range r.named {
		if n.at <= at {
			code = n.code
		}
	}
	return code
}

// newStudio skips a test without espeak-ng, and fails it where all tests are to run.
func newStudio(t *testing.T) *voices.Studio {
	t.Helper()
	s, err := voices.NewStudio(t.TempDir())
	if err != nil {
		if os.Getenv("TONPROBE_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return s
}

func limits(t *testing.T) diagnose.Profile {
	t.Helper()
	p, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rehearseAll(t *testing.T) []rehearsed {
	t.Helper()
	studio, limits := newStudio(t), limits(t)
	fixtures := slices.DeleteFunc(voices.Fixtures(), func(f voices.Fixture) bool {
		return f.Loop != nil // the loudspeaker sounds after the speech
	})
	all := make([]rehearsed, len(fixtures))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				s, err := fixtures[i].Sound(t.Context(), studio)
				if err != nil {
					t.Error(err)
					continue
				}
				all[i] = rehearsed{fixtures[i], rehearse(fixtures[i], s, limits), faultFrom(fixtures[i], s)}
			}
		})
	}
	for i := range fixtures {
		next <- i
	}
	close(next)
	workers.Wait()
	return all
}

// TestLiveCauses: while the voice is still heard, the trouble is named in time,
// and nobody without trouble is ever accused. -v prints the table.
func TestLiveCauses(t *testing.T) {
	var faulty, inTime, healthy, peace int
	var missed, accused strings.Builder
	took := map[string][]time.Duration{}
	late := map[string]int{}
	for _, r := range rehearseAll(t) {
		if r.Truth == voices.Healthy {
			healthy++
			if len(r.named) == 0 {
				peace++
				continue
			}
			fmt.Fprintf(&accused, "%s: %v\n", r.Name(), r.named)
			continue
		}
		faulty++
		if !r.inTime() {
			late[r.Truth]++
			fmt.Fprintf(&missed, "%s: wanted %s by %v, said %v\n", r.Name(), r.Truth, r.from+namedWithin, r.named)
			continue
		}
		inTime++
		i := slices.IndexFunc(r.named, func(n naming) bool { return n.code == r.Truth })
		took[r.Truth] = append(took[r.Truth], max(0, r.named[i].at-r.from))
	}
	t.Logf("faulty: %d of %d named within %v; healthy: %d of %d never accused", inTime, faulty, namedWithin, peace, healthy)
	for _, truth := range slices.Sorted(maps.Keys(took)) {
		slices.Sort(took[truth])
		n := len(took[truth])
		t.Logf("%-26s %3d of %3d, median %v, longest %v", strings.TrimPrefix(truth, "audio."), n, n+late[truth], at(took[truth], 0.5), at(took[truth], 1))
	}
	t.Logf("not in time:\n%s\naccused:\n%s", missed.String(), accused.String())
	if share := voices.Share(inTime, faulty); share < leastNamedInTime {
		t.Errorf("%.1f %% named in time, want %.0f %%", share, leastNamedInTime)
	}
	if share := voices.Share(peace, healthy); share < leastLeftInPeace {
		t.Errorf("%.1f %% of the healthy left in peace, want %.0f %%", share, leastLeftInPeace)
	}
}

// TestLateSpeakerIsNotAccused: somebody finds the text only after two seconds,
// and until then there is nothing but the room. No look may say that nobody speaks.
func TestLateSpeakerIsNotAccused(t *testing.T) {
	s, limits := newStudio(t), limits(t)
	tried := 0
	for _, f := range voices.Fixtures() {
		if f.Truth != voices.Healthy || f.Kind != "ordinary voice" || f.RateHz != 48000 {
			continue
		}
		tried++
		sound, err := f.Sound(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		room := sound.Samples[:sound.RateHz*4/10]
		sound.Samples = slices.Concat(slices.Repeat(room, 5), sound.Samples) // the voice begins 2 s after the invitation
		if named := rehearse(f, sound, limits); len(named) > 0 {
			t.Errorf("%s: %v", f.Name(), named)
		}
	}
	if tried < 10 {
		t.Errorf("only %d voices were tried", tried)
	}
}

// TestNoiseIsNotAccusedBeforeAVoice: where nobody speaks, nobody knows whether
// a voice would rise out of the noise; and it takes a while to say so.
func TestNoiseIsNotAccusedBeforeAVoice(t *testing.T) {
	s, limits := newStudio(t), limits(t)
	tried := 0
	for _, f := range voices.Fixtures() {
		if f.Truth != "audio.no_speech" {
			continue
		}
		tried++
		sound, err := f.Sound(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range rehearse(f, sound, limits) {
			if n.code != "audio.no_speech" || n.at < 3*time.Second {
				t.Errorf("%s: %v", f.Name(), n)
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d rooms were tried", tried)
	}
}

// at is a quantile of sorted times.
func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[cmp.Or(min(len(sorted)-1, int(share*float64(len(sorted)))), 0)]
}

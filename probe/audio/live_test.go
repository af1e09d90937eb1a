package audio_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
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
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// namedWithin is the required time within which a cause is reported, from the start of
// the fault or, if later, of the voice.
const namedWithin = 4 * time.Second

const (
	minReportedInTime    = 98.0 // percent of the faulty fixtures
	minWithoutFalseCause = 99.0 // percent of the healthy fixtures, in every look
	callbackMS           = 20
	speechBeginsAfter    = 500 * time.Millisecond // as in the fixtures
)

// zerosNamedAtMS is when the meter's coach reports digital silence, long before the
// rules can.
const zerosNamedAtMS = 1200

// naming is a live cause and the duration of sound until then.
type naming struct {
	code string
	at   time.Duration
}

// rehearse processes a fixture as a capture does, with the rules evaluated as on
// the screen. It returns every change of the live cause.
func rehearse(f voices.Fixture, s voices.Sound, p diagnose.Profile) (named []naming) {
	live := diagnose.NewLive(p)
	sound, certain := time.Duration(0), false
	r := audio.Rehearse(time.Minute, func(e probe.Event) {
		// Muting and zeros are reported sooner by the screen (meter.Coach).
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

// partial returns the data of a look.
func partial(e probe.Event) (*report.AudioInput, bool) {
	if e.Kind != probe.EventPartial {
		return nil, false
	}
	in, ok := e.Result.Data.(*report.AudioInput)
	return in, ok
}

// faultFrom returns when the fault becomes audible: with the voice, or with the
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

// rehearsed is one fixture with its live causes.
type rehearsed struct {
	voices.Fixture
	named []naming
	from  time.Duration
}

// inTime reports whether the true cause was the live cause in time.
func (r rehearsed) inTime() bool { return r.causeAt(r.from+namedWithin) == r.Truth }

func (r rehearsed) causeAt(at time.Duration) (code string) {
	for _, n := range r.named {
		if n.at <= at {
			code = n.code
		}
	}
	return code
}

func newStudio(t *testing.T) *voices.Studio {
	t.Helper()
	need.Program(t, "espeak-ng")
	s, err := voices.NewStudio(t.TempDir())
	if err != nil {
		t.Fatal(err)
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
		return f.Loop != nil // the loudspeaker plays after the speech
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

// TestLiveCauses checks that during the speech a fault is reported in time, and
// none is reported without one. -v prints the table.
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
	t.Logf("faulty: %d of %d reported within %v; healthy: %d of %d without a false cause", inTime, faulty, namedWithin, peace, healthy)
	for _, truth := range slices.Sorted(maps.Keys(took)) {
		slices.Sort(took[truth])
		n := len(took[truth])
		t.Logf("%-26s %3d of %3d, median %v, longest %v", strings.TrimPrefix(truth, "audio."), n, n+late[truth], at(took[truth], 0.5), at(took[truth], 1))
	}
	t.Logf("not in time:\n%s\nfalse causes:\n%s", missed.String(), accused.String())
	if share := voices.Share(inTime, faulty); share < minReportedInTime {
		t.Errorf("%.1f %% of the faults reported in time, want %.0f %%", share, minReportedInTime)
	}
	if share := voices.Share(peace, healthy); share < minWithoutFalseCause {
		t.Errorf("%.1f %% of the healthy fixtures without a false cause, want %.0f %%", share, minWithoutFalseCause)
	}
}

// TestLateSpeaker: a person starts to speak after two seconds of room noise. Until
// then no look may report missing speech.
func TestLateSpeaker(t *testing.T) {
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
			t.Errorf("%s: got causes %v, want none", f.Name(), named)
		}
	}
	if tried < 10 {
		t.Errorf("only %d voices were tested, want at least 10", tried)
	}
}

// TestNoiseBeforeAVoice: without speech it is unknown whether a voice would exceed
// the noise, and it takes a while until missing speech is reported.
func TestNoiseBeforeAVoice(t *testing.T) {
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
				t.Errorf("%s: got %v, want only audio.no_speech, and not before 3 s", f.Name(), n)
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d rooms were tested, want at least 10", tried)
	}
}

// at returns a quantile of sorted times.
func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[cmp.Or(min(len(sorted)-1, int(share*float64(len(sorted)))), 0)]
}

package audio

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// block is one callback of a simulated microphone.
type block struct {
	at    time.Duration // time of the callback
	start int           // first frame on the time line of the room
	end   int
}

// regularly returns the callbacks of a microphone, one per 50 ms.
func regularly(frames int) []block {
	const period = capture.RateHz / 20
	var blocks []block
	for start := 0; start+period <= frames; start += period {
		end := start + period
		blocks = append(blocks, block{time.Duration(nanoseconds(end)), start, end})
	}
	return blocks
}

// listened runs a loop in a simulated room: 0.5 s of silence, then the chime, which
// is played at that moment and delayed.
func listened(t *testing.T, delayMS float64, deliver func([]block) []block) *loop {
	t.Helper()
	const began = 500 * time.Millisecond
	quiet := make([]float32, int(began*capture.RateHz/time.Second))
	sound := append(quiet, room(delayMS, -6, noiseAt(-60))...)
	l := &loop{sound: chime(), names: newNamer(nil), channels: 1, playing: &capture.Playing{AtNS: began.Nanoseconds()}}
	for _, b := range deliver(regularly(len(sound))) {
		if err := l.hear(capture.PCM{AtNS: b.at.Nanoseconds(), Samples: sound[b.start:b.end]}); err != nil {
			break
		}
	}
	return l
}

func TestLoopOnABusyComputer(t *testing.T) {
	const delay = 180
	random := rand.New(rand.NewPCG(3, 4))
	late := func(from, to int, by time.Duration) func([]block) []block {
		return func(blocks []block) []block {
			for i := from; i < to; i++ { // all of them arrive at once, at the end
				blocks[i].at = max(blocks[i].at, blocks[from].at+by)
			}
			return blocks
		}
	}
	for name, deliver := range map[string]func([]block) []block{
		"regular": func(b []block) []block { return b },
		"every block late by up to 45 ms": func(blocks []block) []block {
			for i := range blocks {
				if i != 20 {
					blocks[i].at += time.Duration(random.IntN(45)) * time.Millisecond
				}
			}
			return blocks
		},
		"the first block very late":      late(0, 9, 400*time.Millisecond),
		"held up as the sound begins":    late(10, 18, 300*time.Millisecond),
		"held up between the phrases":    late(30, 38, 350*time.Millisecond),
		"sound lost before the chime":    func(b []block) []block { return append(b[:3:3], b[7:]...) },
		"sound lost between the phrases": func(b []block) []block { return append(b[:33:33], b[36:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			echo := listened(t, delay, deliver).echo()
			if !echo.heard || math.Abs(echo.lagMS-delay) > 1 || math.Abs(echo.returnDB+6) > 0.5 {
				t.Errorf("got %+v, want a delay of %d ms and a return of -6 dB", echo, delay)
			}
		})
	}
}

// TestLoopOnAnyInput: the microphone is one of the first two inputs of an interface, which
// returns what it plays on the fourth channel. That return says nothing about the
// loudspeaker, for instance if headphones are connected.
func TestLoopOnAnyInput(t *testing.T) {
	const delay, channels = 180, 4
	regular := listened(t, delay, func(b []block) []block { return b })
	for name, c := range map[string]struct {
		gains [channels]float32
		heard bool
	}{
		"the first input":        {[channels]float32{0: 1, 3: 2}, true},
		"the second input":       {[channels]float32{1: 1, 3: 2}, true},
		"only what it returns":   {[channels]float32{3: 2}, false},
		"what it returns, twice": {[channels]float32{2: 2, 3: 2}, false},
	} {
		l := &loop{sound: regular.sound, names: regular.names, channels: channels, playing: regular.playing}
		from := 0
		for _, a := range regular.arrivals {
			var all []float32
			for _, x := range regular.heard[0][from:a.frames] {
				for _, gain := range c.gains {
					all = append(all, gain*x)
				}
			}
			from = a.frames
			if err := l.hear(capture.PCM{AtNS: a.atNS, Samples: all}); err != nil {
				break
			}
		}
		e := l.echo()
		if e.heard != c.heard {
			t.Errorf("%s: got %+v, want heard %t", name, e, c.heard)
		}
		if c.heard && (math.Abs(e.lagMS-delay) > 1 || math.Abs(e.returnDB+6) > 0.5) {
			t.Errorf("%s: got %+v, want a delay of %d ms and a return of -6 dB", name, e, delay)
		}
	}
}

func TestNothingOnTheClock(t *testing.T) {
	if recorded, start := onTheClock(nil, nil); len(recorded) != 0 || start != 0 {
		t.Errorf("got %d samples, starting at %d; want 0, 0", len(recorded), start)
	}
}

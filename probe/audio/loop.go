package audio

import (
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

const (
	// listenAfter is how long the microphone goes on after the sound: Bluetooth
	// on both sides can take half a second.
	listenAfter = time.Second
	// longestLag is the same in frames: nothing later is looked for.
	longestLag = int(listenAfter * capture.RateHz / time.Second)
	// lostAtLeast is how much sound must be missing to count as lost. Anything
	// less is the unevenness of the callbacks.
	lostAtLeast = 20 * time.Millisecond
)

// loop is one sound on its way from the loudspeaker to the microphone.
type loop struct {
	sound    []float32
	progress func(probe.Event)
	names    *namer

	channels int
	playing  *capture.Playing
	played   *capture.Played
	heard    []float32 // one channel, everything from the stream's start on
	arrivals []arrival
}

// arrival says when the sound up to a length had come.
type arrival struct {
	atNS   int64
	frames int
}

func (l *loop) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Started:
		l.channels = m.Channels
	case capture.Playing:
		l.playing = &m
		l.progress(probe.Event{Kind: probe.EventProgress, Fraction: 0})
	case capture.Played:
		l.played = &m
		l.progress(probe.Event{Kind: probe.EventProgress, Fraction: 1})
	case capture.PCM:
		return l.hear(m)
	}
	return nil
}

// hear keeps everything from the stream's start on, as the message that says
// when the sound began may come after the microphone has heard it.
func (l *loop) hear(m capture.PCM) error {
	for i := range len(m.Samples) / l.channels {
		l.heard = append(l.heard, m.Samples[i*l.channels])
	}
	l.arrivals = append(l.arrivals, arrival{m.AtNS, len(l.heard)})
	if l.playing != nil && m.AtNS >= l.playing.AtNS+nanoseconds(len(l.sound))+listenAfter.Nanoseconds() {
		return capture.ErrEnough
	}
	return nil
}

// sincePlaying is what the microphone heard from the moment on in which the
// sound was handed to the loudspeaker.
func (l *loop) sincePlaying() []float32 {
	recorded, startNS := onTheClock(l.heard, l.arrivals)
	skip := int((l.playing.AtNS - startNS) * capture.RateHz / 1e9)
	return recorded[min(max(0, skip), len(recorded)):]
}

// onTheClock puts sound that came in blocks at the time at which it was
// recorded, and says when that began. A block can come late, never early: so a
// stream's beginning is the earliest that any later block allows, and only
// sound that all later blocks leave no time for was lost. Silence takes its place.
func onTheClock(heard []float32, arrivals []arrival) (recorded []float32, startNS int64) {
	if len(arrivals) == 0 {
		return nil, 0
	}
	// latest[i] is the latest moment at which the stream can have begun, had
	// nothing been lost up to block i.
	latest := make([]int64, len(arrivals))
	for i := len(arrivals) - 1; i >= 0; i-- {
		latest[i] = arrivals[i].atNS - nanoseconds(arrivals[i].frames)
		if i < len(arrivals)-1 {
			latest[i] = min(latest[i], latest[i+1])
		}
	}
	startNS = latest[0]
	lostNS, from := int64(0), 0
	for i, a := range arrivals {
		if missing := latest[i] - startNS - lostNS; missing >= lostAtLeast.Nanoseconds() {
			lostNS += missing
			gap := min(missing, listenAfter.Nanoseconds())
			recorded = append(recorded, make([]float32, gap*capture.RateHz/1e9)...)
		}
		recorded = append(recorded, heard[from:a.frames]...)
		from = a.frames
	}
	return recorded, startNS
}

func nanoseconds(frames int) int64 { return int64(frames) * 1e9 / capture.RateHz }

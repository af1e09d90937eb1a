package audio

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

const (
	// listenAfter is how long recording continues after the end of playback. Bluetooth
	// in both directions can take half a second.
	listenAfter = time.Second
	// longestLag is listenAfter in frames, the largest lag that is searched.
	longestLag = int(listenAfter * capture.RateHz / time.Second)
	// lostAtLeast is the amount of missing sound that counts as lost. Smaller amounts
	// are jitter of the callbacks.
	lostAtLeast = 20 * time.Millisecond
	// searchedInputs is the number of channels that are searched. An interface usually has
	// its microphone on one of the first two, and may return on the others what it plays.
	searchedInputs = 2
)

// loop is one playback of the chime and its recording.
type loop struct {
	sound    []float32
	progress func(probe.Event)
	names    *namer

	channels int
	playing  *capture.Playing
	played   *capture.Played
	heard    [][]float32 // by searched channel, from the start of the stream
	arrivals []arrival
}

// arrival is the time at which the recording had reached a length.
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

// hear keeps all samples from the start of the stream, because the message that
// playback has begun may arrive after the microphone has recorded it. It keeps
// several channels, because the microphone need not be the first one.
func (l *loop) hear(m capture.PCM) error {
	if l.heard == nil {
		l.heard = make([][]float32, min(searchedInputs, l.channels))
	}
	for c := range l.heard {
		for i := range len(m.Samples) / l.channels {
			l.heard[c] = append(l.heard[c], m.Samples[i*l.channels+c])
		}
	}
	l.arrivals = append(l.arrivals, arrival{m.AtNS, len(l.heard[0])})
	if l.playing != nil && m.AtNS >= l.playing.AtNS+nanoseconds(len(l.sound))+listenAfter.Nanoseconds() {
		return capture.ErrEnough
	}
	return nil
}

// echo searches for the chime, and returns it as recorded by the first input that has
// it.
func (l *loop) echo() chimeEcho {
	for _, heard := range l.heard {
		if !slices.ContainsFunc(heard, func(x float32) bool { return x != 0 }) {
			continue
		}
		if e := findChime(l.sincePlaying(heard)); e.heard {
			return e
		}
	}
	return chimeEcho{}
}

// sincePlaying returns the recording of a channel from the moment at which the chime
// was handed to the loudspeaker.
func (l *loop) sincePlaying(heard []float32) []float32 {
	recorded, startNS := onTheClock(heard, l.arrivals)
	skip := int((l.playing.AtNS - startNS) * capture.RateHz / 1e9)
	return recorded[min(max(0, skip), len(recorded)):]
}

// onTheClock places blocks of samples at the time at which they were recorded, and
// returns the time of the first sample. A block can be late but never early, so the
// stream began no later than any block allows. Samples for which the later blocks
// leave no time were lost; silence takes their place.
func onTheClock(heard []float32, arrivals []arrival) (recorded []float32, startNS int64) {
	if len(arrivals) == 0 {
		return nil, 0
	}
	// latest[i] is the latest time at which the stream can have begun if nothing was
	// lost up to block i.
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

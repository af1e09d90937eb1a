package audio

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

const (
	// phraseFor is the length of each of the two phrases of the chime, phrasePause
	// the time between them.
	phraseFor   = 900 * time.Millisecond
	phrasePause = 150 * time.Millisecond
	// chimeDBFS is the level of the steady part of the chime. It is audible in a
	// quiet room and comfortable in headphones.
	chimeDBFS = -20
	chimeFade = 120 * time.Millisecond
)

// phrase is a part of the chime that is detected independently.
type phrase struct {
	sound   []float32
	startMS float64 // from the start of the chime
}

// phrases returns a rising and a falling glide. If one of them is disturbed (by an
// underrun at the start of playback, or a stall), the other is still intact, and
// neither can be mistaken for the other.
func phrases() []phrase {
	rise := glide()
	fall := slices.Clone(rise)
	slices.Reverse(fall)
	return []phrase{{rise, 0}, {fall, float64((phraseFor + phrasePause).Milliseconds())}}
}

// chime returns the two phrases with the pause between them.
func chime() []float32 {
	var sound []float32
	for _, p := range phrases() {
		start := int(p.startMS * capture.RateHz / 1000)
		sound = append(sound, make([]float32, start-len(sound))...)
		sound = append(sound, p.sound...)
	}
	return sound
}

// glide returns a chord of three voices that rise by one octave, faded in and out.
// A glide is more pleasant than noise or a click. It never repeats a frequency, so
// its autocorrelation has a single narrow peak: the voices start a fifth and an
// octave apart, and at no lag other than zero do more than two of them coincide.
func glide() []float32 {
	const n = int(phraseFor * capture.RateHz / time.Second)
	sound := make([]float32, n)
	duration := phraseFor.Seconds()
	for _, voice := range []struct{ fromHz, amplitude float64 }{{440, 1}, {660, 0.6}, {880, 0.4}} {
		for i := range sound {
			t := float64(i) / capture.RateHz
			// The phase of an exponential glide f(t) = from·2^(t/duration).
			phase := 2 * math.Pi * voice.fromHz * duration / math.Ln2 * (math.Exp2(t/duration) - 1)
			sound[i] += float32(voice.amplitude * math.Sin(phase))
		}
	}
	power := (1 + 0.36 + 0.16) / 2
	gain := math.Pow(10, chimeDBFS/20.0) / math.Sqrt(power)
	for i := range sound {
		sound[i] *= float32(gain * fade(i, n))
	}
	return sound
}

// fade returns a raised-cosine window value that fades in and out at both ends.
func fade(i, n int) float64 {
	edge := min(i, n-1-i)
	const length = int(chimeFade * capture.RateHz / time.Second)
	if edge >= length {
		return 1
	}
	return (1 - math.Cos(math.Pi*float64(edge)/float64(length))) / 2
}

const (
	// agreeMS is the largest difference between the delays of two phrases of one
	// loop: a stall of the sound system can delay one of them.
	agreeMS = 250
	// aloneConfidence is the correlation from which one phrase is sufficient without
	// the other. Speech and music reach at most half of it.
	aloneConfidence = 0.45
	// phraseParts is the number of parts into which a phrase is divided. A slip
	// (skipped or repeated samples) within a phrase costs up to half of its
	// correlation, and therefore of the level computed from it, although it is
	// inaudible. If one part correlates better than the whole phrase by
	// clearlyBetter, or perfectly, the level of that part is used.
	phraseParts   = 3
	clearlyBetter = 0.15
	perfect       = 0.97
)

// chimeEcho describes the chime as the microphone recorded it.
type chimeEcho struct {
	heard    bool
	lagMS    float64
	returnDB float64
}

// findChime searches recorded, which starts at the same time as the chime. The
// chime was heard if both phrases returned with the same delay, or if one of them
// exceeds aloneConfidence. The delay is the shorter of the two, because a stall can
// only lengthen it. The level is that of the phrase with the better correlation.
func findChime(recorded []float32) chimeEcho {
	var found []signal.EchoResult
	for _, p := range phrases() {
		start := min(int(p.startMS*capture.RateHz/1000), len(recorded))
		if e := findPhrase(p.sound, recorded[start:]); e.Heard() {
			found = append(found, e)
		}
	}
	agree := len(found) == 2 && math.Abs(found[0].LagMS-found[1].LagMS) <= agreeMS
	if !agree {
		found = slices.DeleteFunc(found, func(e signal.EchoResult) bool { return e.Confidence < aloneConfidence })
	}
	if len(found) == 0 {
		return chimeEcho{}
	}
	byLag := func(a, b signal.EchoResult) int { return int(math.Copysign(1, a.LagMS-b.LagMS)) }
	byFit := func(a, b signal.EchoResult) int { return int(math.Copysign(1, a.Confidence-b.Confidence)) }
	return chimeEcho{heard: true, lagMS: slices.MinFunc(found, byLag).LagMS, returnDB: slices.MaxFunc(found, byFit).ReturnDB}
}

// findPhrase searches for the whole phrase. It takes level and correlation from a
// part of it where that part correlates clearly better.
func findPhrase(played, recorded []float32) signal.EchoResult {
	heard := recorded[:min(len(recorded), len(played)+longestLag)]
	whole := signal.Echo(played, heard, capture.RateHz)
	if !whole.Heard() {
		return whole
	}
	best := whole
	size := len(played) / phraseParts
	for i := range phraseParts {
		at := i * size
		part := signal.Echo(played[at:at+size], heard[min(at, len(heard)):], capture.RateHz)
		better := part.Confidence > best.Confidence+clearlyBetter || part.Confidence > max(best.Confidence, perfect)
		if better && math.Abs(part.LagMS-whole.LagMS) < agreeMS {
			best = part
		}
	}
	// The part that precedes the slip has the shorter lag, which is the true one.
	best.LagMS = min(best.LagMS, whole.LagMS)
	return best
}

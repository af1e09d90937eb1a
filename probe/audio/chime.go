package audio

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

const (
	// phraseFor is the length of each of the chime's two phrases, phrasePause
	// the time between them.
	phraseFor   = 900 * time.Millisecond
	phrasePause = 150 * time.Millisecond
	// chimeDBFS is the level of its steady part: heard in a quiet room, not
	// startling in headphones.
	chimeDBFS = -20
	chimeFade = 120 * time.Millisecond
)

// phrase is a part of the chime that is looked for on its own.
type phrase struct {
	sound   []float32
	startMS float64 // in the chime
}

// phrases are a rising and a falling glide. What befalls one of them on its way
// (the sound system runs dry as it starts, or is held up) leaves the other as
// it is, and neither can be taken for the other.
func phrases() []phrase {
	rise := glide()
	fall := slices.Clone(rise)
	slices.Reverse(fall)
	return []phrase{{rise, 0}, {fall, float64((phraseFor + phrasePause).Milliseconds())}}
}

// chime is the phrases one after the other.
func chime() []float32 {
	var sound []float32
	for _, p := range phrases() {
		start := int(p.startMS * capture.RateHz / 1000)
		sound = append(sound, make([]float32, start-len(sound))...)
		sound = append(sound, p.sound...)
	}
	return sound
}

// glide is a chord of three voices that glide upwards by an octave, with
// soft ends. A glide sounds friendlier than noise or a click, and since it
// never passes the same frequency twice its autocorrelation has one narrow
// peak: the three voices start a fifth and an octave apart, but at no shift do
// more than two of them meet, so that no second lag can be taken for the first.
func glide() []float32 {
	const n = int(phraseFor * capture.RateHz / time.Second)
	sound := make([]float32, n)
	duration := phraseFor.Seconds()
	for _, voice := range []struct{ fromHz, amplitude float64 }{{440, 1}, {660, 0.6}, {880, 0.4}} {
		for i := range sound {
			t := float64(i) / capture.RateHz
			// Phase of an exponential glide f(t) = from·2^(t/duration).
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

// fade is a raised cosine at both ends.
func fade(i, n int) float64 {
	edge := min(i, n-1-i)
	const length = int(chimeFade * capture.RateHz / time.Second)
	if edge >= length {
		return 1
	}
	return (1 - math.Cos(math.Pi*float64(edge)/float64(length))) / 2
}

const (
	// agreeMS is how far apart the delays of two phrases may be that belong to
	// the same loop: a hiccup of the sound system makes one of them later.
	agreeMS = 250
	// aloneConfidence is the correlation from which on one phrase is believed
	// without the other. Speech and music come to no more than half of that.
	aloneConfidence = 0.45
	// phraseParts: a slip in a phrase takes up to half of its correlation, and so
	// of the level that comes out of it, though the ear hears nothing of that. A
	// part of it that fits clearlyBetter than the whole, or perfectly, has the
	// right level.
	phraseParts   = 3
	clearlyBetter = 0.15
	perfect       = 0.97
)

// chimeEcho is what came back of the chime.
type chimeEcho struct {
	heard    bool
	lagMS    float64
	returnDB float64
}

// findChime looks for the chime in recorded, which begins when the chime does.
// It was heard when both phrases came back with the same delay, or one of them
// beyond doubt. The delay is the shorter one: a hiccup can only add to it. The
// level is that of the phrase that came back least disturbed.
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

// findPhrase looks for the whole phrase, and takes the level and the fit of a
// part that came back much more like itself.
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
	// What was played first came first: the slip is in what follows.
	best.LagMS = min(best.LagMS, whole.LagMS)
	return best
}

package signal

import "math"

// These limits distinguish speech from other sounds. Speech is periodic with the pitch of a voice; its pitch moves
// without jumps; it rises above the background of the surrounding second; it is less steady than hum or a whistle; it
// comes in syllables. Each limit was calibrated with recorded and synthetic voices; see docs/accuracy.md.
const (
	minPeriodicity    = 0.6
	minPulsing        = 0.5
	maxTonality       = 0.99 // a beep has one line, a voice has harmonics
	pitchJump         = 1.2  // ratio of the pitches of successive frames
	minVoiceDBFS      = -85  // in the speech band
	riseDB            = 6    // above the background
	steadyDB          = 0.8  // standard deviation of the level below which a sound is not a voice
	steadySideDB      = 0.2
	steadyFrames      = 5  // on each side, for that deviation
	syllableFrames    = 3  // 60 ms
	syllabicDB        = 15 // above the background: the rise of a syllable of any kind
	minSyllabicFrames = 4
	maxSyllabicFrames = 50
	consonantFrames   = 6  // on each side of a syllable, while above the background
	quietFrames       = 10 // on each side of a syllable: not quiet yet
	syllableReach     = max(consonantFrames, quietFrames)
	contextFrames     = 35  // on each side, for the background
	backgroundShare   = 0.1 // quantile of those frames that defines the background
	liveSpeechFrames  = 15  // 300 ms
	frameRing         = 128 // more than the look-back; a power of two
)

// judge classifies each frame as speech, quiet or neither once its surroundings are known, and accumulates the
// measurements of each class. It contains no pointers: a copy can be finished without affecting the original.
type judge struct {
	ring     [frameRing]judgedFrame
	seen     int // frames received
	rated    int // frames with known rise and voicing
	decided  int // frames classified
	run      int // successive frames of one voice, up to the last rated one
	speech   int // frames of speech so far
	quietRun int // successive quiet frames, up to the last classified one
	raised   int // successive frames far above the background, up to the last rated one
	syllabic int // frames in such runs of syllable length
	lastLive int // the last frame that resembled speech on arrival, counted from 1

	// Levels in the speech band and in the voice band, of the frames around the next one to rate.
	bandAround, voiceAround levelWindow

	noise      noiseMeter
	voiceNoise noiseMeter // of the voice band
	bandwidth  bandwidthMeter
}

type judgedFrame struct {
	frame
	risen, syllable bool
	loud            bool // above the background in the voice band: a sibilant may be outside the speech band
}

func (j *judge) at(n int) *judgedFrame { return &j.ring[n%frameRing] }

func (j *judge) write(f *frame) {
	slot := j.at(j.seen)
	slot.frame, slot.risen, slot.syllable, slot.loud = *f, false, false, false
	j.noise.addFrame(f, f.power)
	j.voiceNoise.addFrame(f, f.voicePower)
	j.bandAround.add(f.bandDBFS)
	j.voiceAround.add(f.voiceDBFS)
	j.seen++
	if j.seen > 1 && voiced(f) && continuous(&j.at(j.seen-2).frame, f) && f.bandDBFS >= j.lowestSeen()+riseDB {
		j.lastLive = j.seen
	}
	if j.seen > contextFrames {
		j.rate()
	}
	if j.rated > syllableReach+syllableFrames {
		j.decide()
	}
}

// finish classifies the frames that still wait for later ones, and calls decided for each.
func (j *judge) finish(decided func()) {
	for j.rated < j.seen {
		j.rate()
	}
	j.raise(false)
	for j.decided < j.seen {
		j.decide()
		decided()
	}
}

func voiced(f *frame) bool {
	return (f.periodicity >= minPeriodicity || f.pulsing >= minPulsing) && f.bandDBFS >= minVoiceDBFS && f.tonality < maxTonality
}

// continuous reports whether the pitch glides from a to b. The apparent pitch of noise jumps.
func continuous(a, b *frame) bool {
	return a.periodicity >= minPeriodicity && b.periodicity >= minPeriodicity && near(a.pitchHz, b.pitchHz) ||
		a.pulsing >= minPulsing && b.pulsing >= minPulsing && near(a.pulseHz, b.pulseHz)
}

func near(a, b float64) bool { return max(a/b, b/a) <= pitchJump }

// rate determines whether the next frame rises above the background, and whether it belongs to a syllable.
func (j *judge) rate() {
	n := j.rated
	f := j.at(n)
	if gone := n - contextFrames - 1; gone >= 0 {
		j.bandAround.remove(j.at(gone).bandDBFS)
		j.voiceAround.remove(j.at(gone).voiceDBFS)
	}
	background := j.bandAround.quantile(backgroundShare)
	f.risen = f.bandDBFS >= background+riseDB
	j.raise(f.bandDBFS >= background+syllabicDB)
	f.loud = f.voiceDBFS >= j.voiceAround.quantile(backgroundShare)+riseDB
	if f.risen && voiced(&f.frame) && !j.steady(n) {
		if j.run == 0 || !continuous(&j.at(n-1).frame, &f.frame) {
			j.run = 0
		}
		j.run++
	} else {
		j.run = 0
	}
	if j.run >= syllableFrames {
		for back := range syllableFrames {
			j.at(n - back).syllable = true
		}
	}
	j.rated++
}

// raise counts runs of frames far above the background that are as long as a syllable or several joined ones. Keys and
// clicks are shorter, and longer sounds are not a voice.
func (j *judge) raise(far bool) {
	if far {
		j.raised++
		return
	}
	if j.raised >= minSyllabicFrames && j.raised <= maxSyllabicFrames {
		j.syllabic += j.raised
	}
	j.raised = 0
}

func (j *judge) lowestSeen() float64 {
	lowest := math.Inf(1)
	for k := max(0, j.seen-2*contextFrames); k < j.seen; k++ {
		lowest = min(lowest, j.at(k).bandDBFS)
	}
	return lowest
}

// steady reports whether the level is constant around frame n, on at least one side. Hum, a whistle or a test tone
// keeps its level; a voice does not, even within one vowel.
func (j *judge) steady(n int) bool {
	if j.spread(n-steadyFrames, n+steadyFrames) < steadyDB {
		return true
	}
	return n >= steadyFrames && j.spread(n-steadyFrames, n) < steadySideDB ||
		n+steadyFrames < j.seen && j.spread(n, n+steadyFrames) < steadySideDB
}

// spread returns the standard deviation of the level over a range of frames, as far as they exist.
func (j *judge) spread(from, to int) float64 {
	var sum, squares float64
	from, to = max(0, from), min(j.seen-1, to)
	for k := from; k <= to; k++ {
		level := j.at(k).bandDBFS
		sum += level
		squares += level * level
	}
	count := float64(to - from + 1)
	mean := sum / count
	return math.Sqrt(max(0, squares/count-mean*mean))
}

// decide classifies the next frame whose surroundings are rated.
func (j *judge) decide() {
	n := j.decided
	f := j.at(n)
	distance := j.syllableDistance(n)
	switch {
	case distance == 0, distance <= consonantFrames && f.risen:
		j.quietRun = 0
		j.speech++
		if f.hasBands {
			j.bandwidth.addSpeech(&f.bands)
		}
	case distance > quietFrames && !f.zeros && !f.risen && !f.loud:
		j.quietRun++
		j.noise.quiet.add(f.power)
		j.voiceNoise.quiet.add(f.voicePower)
		if f.hasBands {
			j.bandwidth.addQuiet(&f.bands)
		}
	default:
		j.quietRun = 0
	}
	j.decided++
}

// syllableDistance returns the distance of frame n from a syllable in frames, at most syllableReach+1.
func (j *judge) syllableDistance(n int) int {
	for distance := range syllableReach + 1 {
		if before := n - distance; before >= 0 && j.at(before).syllable {
			return distance
		}
		if after := n + distance; after < j.rated && j.at(after).syllable {
			return distance
		}
	}
	return syllableReach + 1
}

// live reports whether speech was detected within the last 300 ms.
func (j *judge) live() bool { return j.lastLive > 0 && j.seen-j.lastLive < liveSpeechFrames }

package signal

import "math"

// How speech is told from everything else: it is periodic with a voice's pitch, that pitch moves but does not
// jump, it rises out of the background of the second around it, it is not as steady as a hum or a whistle,
// and it comes in syllables. Each limit is calibrated on recorded and synthetic voices; see docs/accuracy.md.
const (
	leastPeriodicity    = 0.6
	leastPulsing        = 0.5
	mostTonality        = 0.99 // a beep is one line, a voice has overtones
	pitchJump           = 1.2  // ratio of the pitches of successive frames
	leastVoiceDBFS      = -85  // in the speech band
	riseDB              = 6    // above the background
	steadyDB            = 0.8  // standard deviation of the level below which it is no voice
	steadySideDB        = 0.2
	steadyFrames        = 5  // on either side, for that deviation
	syllableFrames      = 3  // 60 ms
	syllabicDB          = 15 // above the background: as a syllable is, whatever it sounds like
	leastSyllabicFrames = 4
	mostSyllabicFrames  = 50
	consonantFrames     = 6  // on either side of a syllable, while above the background
	quietFrames         = 10 // on either side of a syllable: not quiet yet
	syllableReach       = max(consonantFrames, quietFrames)
	contextFrames       = 35  // on either side, for the background
	backgroundShare     = 0.1 // the background is the level that this share of those frames stays below
	liveSpeechFrames    = 15  // 300 ms
	frameRing           = 128 // more than are looked back at; a power of two
)

// judge decides, for each frame once its surroundings are known, whether it is speech or quiet, and gathers
// what is measured on each. It holds no pointers: a copy can be brought to its end without disturbing it.
type judge struct {
	ring     [frameRing]judgedFrame
	seen     int // frames taken in
	rated    int // frames whose rise and voicing are decided
	decided  int // frames whose verdict is given
	run      int // successive frames of one voice, up to the last rated one
	speech   int // frames of speech so far
	quietRun int // successive quiet frames, up to the last decided one
	raised   int // successive frames far above the background, up to the last rated one
	syllabic int // frames in stretches of those that are as long as syllables
	lastLive int // the last frame that looked like speech on arrival, counted from 1

	bandAround, wholeAround levelWindow // levels in the speech band and in the whole, of the frames around the next to be rated

	noise     noiseMeter
	bandwidth bandwidthMeter
}

type judgedFrame struct {
	frame
	risen, syllable bool
	loud            bool // risen in the whole band: a sibilant may not be in the speech band
}

func (j *judge) at(n int) *judgedFrame { return &j.ring[n%frameRing] }

func (j *judge) write(f *frame) {
	slot := j.at(j.seen)
	slot.frame, slot.risen, slot.syllable, slot.loud = *f, false, false, false
	j.noise.addFrame(f)
	j.bandAround.add(f.bandDBFS)
	j.wholeAround.add(f.powerDBFS)
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

// finish judges the frames that still wait for their surroundings, by those there are, and reports each.
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
	return (f.periodicity >= leastPeriodicity || f.pulsing >= leastPulsing) && f.bandDBFS >= leastVoiceDBFS && f.tonality < mostTonality
}

// continuous: the pitch of a voice glides; that of noise, which is a pitch by chance, jumps.
func continuous(a, b *frame) bool {
	return a.periodicity >= leastPeriodicity && b.periodicity >= leastPeriodicity && near(a.pitchHz, b.pitchHz) ||
		a.pulsing >= leastPulsing && b.pulsing >= leastPulsing && near(a.pulseHz, b.pulseHz)
}

func near(a, b float64) bool { return max(a/b, b/a) <= pitchJump }

// rate finds out whether the next frame rises out of its background, and whether it belongs to a syllable.
func (j *judge) rate() {
	n := j.rated
	f := j.at(n)
	if gone := n - contextFrames - 1; gone >= 0 {
		j.bandAround.remove(j.at(gone).bandDBFS)
		j.wholeAround.remove(j.at(gone).powerDBFS)
	}
	background := j.bandAround.quantile(backgroundShare)
	f.risen = f.bandDBFS >= background+riseDB
	j.raise(f.bandDBFS >= background+syllabicDB)
	f.loud = f.powerDBFS >= j.wholeAround.quantile(backgroundShare)+riseDB
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

// raise is told of each frame whether it is far above the background, and counts what is as long as a syllable or
// several that run into each other: a key or a click is shorter, and what goes on for longer is no voice.
func (j *judge) raise(far bool) {
	if far {
		j.raised++
		return
	}
	if j.raised >= leastSyllabicFrames && j.raised <= mostSyllabicFrames {
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

// steady: a hum, a whistle or a test tone keeps its level; a voice does not even within one vowel. Where such a
// sound begins or ends, it does so on one side only.
func (j *judge) steady(n int) bool {
	if j.spread(n-steadyFrames, n+steadyFrames) < steadyDB {
		return true
	}
	return n >= steadyFrames && j.spread(n-steadyFrames, n) < steadySideDB ||
		n+steadyFrames < j.seen && j.spread(n, n+steadyFrames) < steadySideDB
}

// spread is the standard deviation of the level over some frames, as far as there are any.
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

// decide gives the verdict on the next frame whose surroundings are rated.
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
		if f.hasBands {
			j.bandwidth.addQuiet(&f.bands)
		}
	default:
		j.quietRun = 0
	}
	j.decided++
}

// syllableDistance is how many frames n is away from a syllable, at most syllableReach+1.
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

// live says whether speech was heard within the last 300 ms.
func (j *judge) live() bool { return j.lastLive > 0 && j.seen-j.lastLive < liveSpeechFrames }

package sound

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

// QuietLead is the length of the recording before the participant is asked to
// speak. It contains the room noise alone, against which the voice is compared.
const QuietLead = 500 * time.Millisecond

// These constants limit how long a capture lasts after the invitation to speak,
// unless Listening.Fixed is the length.
const (
	// enoughSpeech is the amount of speech to record: six times what the rules need
	// to detect speech (speech_min_ms), and one window of short-term loudness (EBU
	// Tech 3341).
	enoughSpeech = 3 * time.Second
	// voiceWindow is the amount of sound to record from the first voice on. The
	// accuracy matrix holds for windows of this length; see "At any moment" in
	// docs/accuracy.md.
	voiceWindow = 4500 * time.Millisecond
	// pauseWait is the time by which a capture is extended to include a pause in
	// which the noise floor can be measured.
	pauseWait = 1500 * time.Millisecond
	// LongestListen ends a capture with too little speech. Together with the quiet
	// lead and a slow start of the device, the check stays within 15 s.
	LongestListen = 12500 * time.Millisecond
	// zerosListen ends the capture of a microphone that delivers only digital zeros.
	// It will not deliver a voice, and the result should not be delayed.
	zerosListen = 6 * time.Second
	// firstVoice is the amount of speech that counts as a voice. One frame that is
	// mistaken for speech counts for 300 ms (signal.Level.Speech).
	firstVoice = 600 * time.Millisecond
)

// A recording that ends in a silence unlike its earlier pauses is extended by at most
// EndExtension, until sound returns or the silence is certain: the microphone may have become
// silent in the last half second.
const (
	EndExtension = 1600 * time.Millisecond
	// endSilent is the shortest silence that extends a recording.
	endSilent = 60 * time.Millisecond
)

// EndUncertain reports whether a recording ends in a silence unlike its earlier pauses, so that
// it must be extended.
func EndUncertain(a *signal.Analyzer) bool {
	silent, unlike := a.EndSilence()
	return unlike && silent >= float64(endSilent.Milliseconds())
}

// Listening decides when to end a capture. Its clock is the number of samples.
type Listening struct {
	Fixed  time.Duration // length of the recording; 0: until enough speech was heard
	heard  time.Duration // sound since the invitation to speak
	speech time.Duration // the part of heard with speech activity
	voice  time.Duration // position at which the voice began; set when speech >= firstVoice
}

// Hear adds d of sound, with or without speech.
func (l *Listening) Hear(d time.Duration, speech bool) {
	l.heard += d
	if !speech {
		return
	}
	before := l.speech
	l.speech += d
	if before < firstVoice && l.speech >= firstVoice {
		l.voice = max(0, l.heard-firstVoice)
	}
}

func (l *Listening) hasVoice() bool { return l.speech >= firstVoice }

// Longest returns the maximum length of the recording.
func (l *Listening) Longest() time.Duration {
	if l.Fixed > 0 {
		return l.Fixed
	}
	return LongestListen
}

// Over reports whether the capture may end. floorMeasured says that the noise
// floor was measured in quiet parts, onlyZeros that only digital zeros have been
// received so far.
func (l *Listening) Over(floorMeasured, onlyZeros bool) bool {
	switch {
	case l.heard >= l.Longest():
		return true
	case l.Fixed > 0:
		return false
	case onlyZeros:
		return l.heard >= zerosListen
	case !l.hasVoice() || l.speech < enoughSpeech:
		return false
	}
	sinceVoice := l.heard - l.voice
	return sinceVoice >= voiceWindow && (floorMeasured || sinceVoice >= voiceWindow+pauseWait)
}

// Missing returns how much more sound is needed: until the fixed length is reached, or until
// there is enough speech and voiceWindow is complete. It never increases.
func (l *Listening) Missing() time.Duration {
	switch {
	case l.Fixed > 0:
		return max(0, l.Fixed-l.heard)
	case !l.hasVoice():
		return max(enoughSpeech, voiceWindow) - l.speech
	}
	return max(0, enoughSpeech-l.speech, voiceWindow-(l.heard-l.voice))
}

package audio

import "time"

// These constants limit how long a capture lasts after the invitation to speak,
// unless InputConfig.SpeakFor fixes the length.
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
	// longestListen ends a capture with too little speech. Together with the quiet
	// lead and a slow start of the device, the check stays within 15 s.
	longestListen = 12500 * time.Millisecond
	// zerosListen ends the capture of a microphone that delivers only digital zeros.
	// It will not deliver a voice, and the result should not be delayed.
	zerosListen = 6 * time.Second
	// firstVoice is the amount of speech that counts as a voice. One frame that is
	// mistaken for speech counts for 300 ms (signal.Level.Speech).
	firstVoice = 600 * time.Millisecond
)

// listening decides when to end a capture. Its clock is the number of samples.
type listening struct {
	fixed  time.Duration // 0: until enough speech was heard
	heard  time.Duration // sound since the invitation to speak
	speech time.Duration // the part of heard with speech activity
	voice  time.Duration // position at which the voice began; set when speech >= firstVoice
}

func (l *listening) hear(d time.Duration, speech bool) {
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

func (l *listening) hasVoice() bool { return l.speech >= firstVoice }

// longest returns the maximum length of the recording.
func (l *listening) longest() time.Duration {
	if l.fixed > 0 {
		return l.fixed
	}
	return longestListen
}

// over reports whether the capture may end. floorMeasured says that the noise
// floor was measured in quiet parts, onlyZeros that only digital zeros have been
// received so far.
func (l *listening) over(floorMeasured, onlyZeros bool) bool {
	switch {
	case l.heard >= l.longest():
		return true
	case l.fixed > 0:
		return false
	case onlyZeros:
		return l.heard >= zerosListen
	case !l.hasVoice() || l.speech < enoughSpeech:
		return false
	}
	sinceVoice := l.heard - l.voice
	return sinceVoice >= voiceWindow && (floorMeasured || sinceVoice >= voiceWindow+pauseWait)
}

// missing returns how much more is needed: sound if the length is fixed, otherwise
// speech. It never increases.
func (l *listening) missing() time.Duration {
	switch {
	case l.fixed > 0:
		return max(0, l.fixed-l.heard)
	case !l.hasVoice():
		return max(enoughSpeech, voiceWindow) - l.speech
	}
	return max(0, enoughSpeech-l.speech, voiceWindow-(l.heard-l.voice))
}

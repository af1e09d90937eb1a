package audio

import "time"

// How long a capture listens from the invitation to speak on, unless
// InputConfig.SpeakFor fixes it.
const (
	// enoughSpeech is how much speech is wanted: six times what the rules need to
	// say that somebody spoke (speech_min_ms), and one window of short-term
	// loudness (EBU Tech 3341).
	enoughSpeech = 3 * time.Second
	// voiceWindow is how much sound is wanted from the first voice on. The accuracy
	// matrix holds for windows of this length, see "At any moment" in
	// docs/accuracy.md.
	voiceWindow = 4500 * time.Millisecond
	// pauseWait is how much longer a capture lasts for the sake of a pause in
	// which the noise floor can be measured.
	pauseWait = 1500 * time.Millisecond
	// longestListen ends a capture in which too little was said. With the room
	// before it and a slow start of the device the check stays within 15 s.
	longestListen = 12500 * time.Millisecond
	// zerosListen ends the capture of a microphone that delivers nothing but
	// digital zeros: it will hear no voice, and the sooner that is said the better.
	zerosListen = 6 * time.Second
	// firstVoice is how much speech makes a voice. One frame that looks like
	// speech by chance counts for 300 ms (signal.Level.Speech).
	firstVoice = 600 * time.Millisecond
)

// listening decides when enough was heard. Its clock is the sound itself.
type listening struct {
	fixed  time.Duration // 0: until enough was heard
	heard  time.Duration // since the invitation to speak
	speech time.Duration // of that, by the live activity
	voice  time.Duration // when the voice began; only with speech >= firstVoice
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

// longest is how much sound there is at most.
func (l *listening) longest() time.Duration {
	if l.fixed > 0 {
		return l.fixed
	}
	return longestListen
}

// over reports whether the capture may end. floorMeasured says that the noise
// floor was measured in quiet parts, onlyZeros that nothing but digital zeros
// came so far.
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

// missing is how much more is wanted: sound where the length is fixed, else
// speech. It only falls.
func (l *listening) missing() time.Duration {
	switch {
	case l.fixed > 0:
		return max(0, l.fixed-l.heard)
	case !l.hasVoice():
		return max(enoughSpeech, voiceWindow) - l.speech
	}
	return max(0, enoughSpeech-l.speech, voiceWindow-(l.heard-l.voice))
}

package signal

// These constants define silence at the end of a recording.
const (
	// silencePeak is -75 dBFS, six steps of 16 bits. Converter noise of -92 dBFS RMS, which remains behind some mute
	// switches, is below it; the room noise of most microphones is above it.
	silencePeak = 1.78e-4
	// soundPeak is -60 dBFS. Without soundLeastS of it there was no sound that could have ended.
	soundPeak   = 1e-3
	soundLeastS = 0.1
	// pauseLeastS is the length of a silent pause that shows that the pauses of this microphone are silent. Behind a
	// noise gate they are, and silence at the end is then inconclusive.
	pauseLeastS = 0.040
	// startZerosS is how long hardware may deliver exact zeros before its first sound.
	startZerosS = 0.400
	// roomLeastS is the length of room noise, between silencePeak and soundPeak, that a noise gate would not have let
	// through: longer zeros at the start were then the hardware's, as of a Bluetooth headset. Room noise before the
	// zeros does not show this: a noise suppressor lets it through until it has adapted.
	roomLeastS = 0.500
)

// silenceMeter measures the silence at the end of a recording and compares it with the earlier pauses. A microphone
// that is muted, or whose buffers are no longer filled, becomes silent within a word or within room noise. A noise
// gate becomes silent in every pause, after the sound has faded.
type silenceMeter struct {
	rateHz  int
	ofChunk gains
	sound   int         // frames louder than soundPeak
	run     int         // frames of the current silence
	zeros   bool        // all of it is exactly zero
	pause   int         // the longest earlier silence, in frames
	leading int         // the exact zeros at the start, if they are long
	room    int         // frames of the current room noise
	roomMax int         // the longest of it since the leading zeros
	heard   soundBefore // since the last silence
	before  soundBefore // at the beginning of the current silence
}

func newSilenceMeter(rateHz int) silenceMeter {
	return silenceMeter{rateHz: rateHz, ofChunk: gainsOf(surveyChunk / float64(rateHz))}
}

// write processes a block of c. A DC offset, which some mute switches leave behind, is not sound.
func (m *silenceMeter) write(c *channel, frames int) {
	for n, chunk := range c.survey.chunks {
		from := n * surveyChunk
		to := min(from+surveyChunk, frames)
		if chunk.peak >= silencePeak {
			chunk = survey1(c.ac[from:to])
		}
		m.add(chunk.peak, chunk.squares/float64(to-from), to-from)
	}
}

func (m *silenceMeter) add(peak, power float64, frames int) {
	if peak < silencePeak {
		if m.run == 0 {
			m.before, m.zeros = m.heard, true
		}
		m.run += frames
		m.room = 0
		m.zeros = m.zeros && peak == 0
		return
	}
	if m.run > 0 {
		switch atStart := m.sound == 0; {
		case !atStart || !m.zeros:
			m.pause = max(m.pause, m.run)
		case m.run >= m.frames(startZerosS):
			m.leading = max(m.leading, m.run)
			m.roomMax = 0
		}
		m.run, m.heard = 0, soundBefore{}
	}
	m.heard.addPower(power, m.ofChunk)
	if peak >= soundPeak {
		m.sound += frames
		m.room = 0
		return
	}
	m.room += frames
	m.roomMax = max(m.roomMax, m.room)
}

func (m *silenceMeter) frames(seconds float64) int { return int(seconds * float64(m.rateHz)) }

// anySound reports whether there was a sound that could have ended.
func (m *silenceMeter) anySound() bool { return m.sound >= m.frames(soundLeastS) }

// result returns the length of the silence at the end in frames, and whether it differs from the earlier pauses: none
// of them was silent, or it interrupted a loud sound.
func (m *silenceMeter) result(activeDBFS float64) (frames int, unlike bool) {
	interrupted := m.before.edge >= dropoutEdgeShare*m.before.around && powerDB(m.before.around) >= activeDBFS-breakBelowActiveDB
	pause := m.pause
	if m.roomMax < m.frames(roomLeastS) {
		pause = max(pause, m.leading)
	}
	return m.run, interrupted || pause < m.frames(pauseLeastS)
}

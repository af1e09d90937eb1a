package signal

// What counts as silence at the end of a recording.
const (
	// silencePeak is -75 dBFS, six steps of 16 bits: converter noise of -92 dBFS RMS, which some devices leave
	// behind a mute switch, stays below it, and the room of most microphones does not.
	silencePeak = 1.78e-4
	// soundPeak is -60 dBFS: without soundLeastS of that nothing was heard that could have ended.
	soundPeak   = 1e-3
	soundLeastS = 0.1
	// pauseLeastS is how long a silent pause must be to show that this microphone's pauses are silent: behind a
	// noise gate they are, and then silence at the end says little.
	pauseLeastS = 0.040
	// startZerosS is how long hardware may deliver exact zeros before its first sound.
	startZerosS = 0.400
)

// silenceMeter follows the silence at the end of a recording, and whether it is like the pauses before it. A
// microphone that was muted, or whose buffers are no longer filled, falls silent in the middle of a word or of a
// room's noise; a noise gate does so in every pause, softly.
type silenceMeter struct {
	rateHz  int
	ofChunk gains
	sound   int         // frames louder than soundPeak
	run     int         // frames of the present silence
	zeros   bool        // all of it exactly zero
	pause   int         // the longest silence before it, in frames
	heard   soundBefore // since the last silence
	before  soundBefore // at the beginning of the present one
}

func newSilenceMeter(rateHz int) silenceMeter {
	return silenceMeter{rateHz: rateHz, ofChunk: gainsOf(surveyChunk / float64(rateHz))}
}

// write takes a block's surveys, one of each channel.
func (m *silenceMeter) write(channels []*channel, frames int) {
	for n := range channels[0].survey.chunks {
		length := min(surveyChunk, frames-n*surveyChunk)
		peak, squares := 0.0, 0.0
		for _, c := range channels {
			chunk := c.survey.chunks[n]
			peak, squares = max(peak, chunk.peak), max(squares, chunk.squares)
		}
		m.add(peak, squares/float64(length), length)
	}
}

func (m *silenceMeter) add(peak, power float64, frames int) {
	if peak < silencePeak {
		if m.run == 0 {
			m.before, m.zeros = m.heard, true
		}
		m.run += frames
		m.zeros = m.zeros && peak == 0
		return
	}
	if m.run > 0 {
		if atStart := m.sound == 0; !atStart || !m.zeros || m.run >= m.frames(startZerosS) {
			m.pause = max(m.pause, m.run)
		}
		m.run, m.heard = 0, soundBefore{}
	}
	m.heard.addPower(power, m.ofChunk)
	if peak >= soundPeak {
		m.sound += frames
	}
}

func (m *silenceMeter) frames(seconds float64) int { return int(seconds * float64(m.rateHz)) }

// result is the length of the silence at the end in frames, and whether it is unlike the pauses before: none of
// those was silent, or it broke a loud sound off.
func (m *silenceMeter) result(activeDBFS float64) (frames int, unlike bool) {
	if m.sound < m.frames(soundLeastS) {
		return 0, false
	}
	torn := m.before.edge >= dropoutEdgeShare*m.before.around && powerDB(m.before.around) >= activeDBFS-tornBelowActiveDB
	return m.run, torn || m.pause < m.frames(pauseLeastS)
}

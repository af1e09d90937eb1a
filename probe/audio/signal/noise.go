package signal

import "math"

const (
	levelBinsPerDB  = 4
	levelTopDBFS    = 6
	levelBins       = (levelTopDBFS - FloorDBFS) * levelBinsPerDB
	minQuietFrames  = 10 // 200 ms
	sureQuietFrames = 25 // half a second: fewer may be soft speech
	minSNRSpeechMS  = 300

	minPlateauFrames   = 150  // 3 s
	plateauLow         = 0.02 // share of all frames: the lower end of the lowest tenth
	plateauHigh        = 0.10
	plateauLevel       = 0.05
	plateauDB          = 2.5 // largest width
	maxPlateauPeriodic = 0.25

	// This far above the plateau, the quiet frames include consonants in noise. Further above, the noise is not
	// permanent, and the quiet frames are the better measure.
	consonantsDB = 1.5
	otherNoiseDB = 6
)

// noiseMeter determines the noise floor: the median level of the quiet frames. A cough, a knock or a turned page does
// not affect a median.
//
// Speech without pauses leaves hardly any quiet frames, but the stops and dips between syllables contain only noise.
// Steady noise appears there as a plateau: the lowest tenth of all frames have the same level, while the levels of
// clean speech and of reverberation keep falling (minimum statistics, Martin 2001, with the lower end of the
// distribution in place of a tracked minimum). Of 200 real voices joined without pauses, the lowest tenth spans 0.4
// to 3.7 dB with noise at -12 dB, 5 to 38 dB without noise, and 3.5 to 14 dB in reverberation of 0.8 s. A level kept
// by a sound with a pitch, such as a long vowel, is not noise.
type noiseMeter struct {
	quiet    levelCounts // frames classified as quiet
	all      levelCounts // all frames except digital zeros
	periodic [levelBins]int
}

// addFrame adds any frame with its power in the measured band, before its classification.
func (m *noiseMeter) addFrame(f *frame, power float64) {
	if f.zeros {
		return
	}
	bin := m.all.add(power)
	if f.periodicity >= minPeriodicity {
		m.periodic[bin]++
	}
}

// floorDBFS returns the noise floor; nil if it cannot be determined. It is estimated if there are too few quiet parts.
func (m *noiseMeter) floorDBFS() (dBFS *float64, estimated bool) {
	_, quiet := m.quiet.quantile(0.5)
	plateau, steady := m.plateauDBFS()
	sure := m.quiet.count >= sureQuietFrames
	switch above := quiet - plateau; {
	case sure && !(steady && above > consonantsDB && above < otherNoiseDB):
		return &quiet, false
	case steady:
		return &plateau, true
	}
	// Few quiet frames suffice if no others are much lower: soft speech has lower pauses.
	if _, low := m.all.quantile(plateauLow); m.hasQuiet() && quiet-low <= plateauDB {
		return &quiet, true
	}
	return nil, false
}

// hasQuiet reports whether there were parts that were quiet but not digitally zero.
func (m *noiseMeter) hasQuiet() bool { return m.quiet.count >= minQuietFrames }

// plateauDBFS returns the common level of the lowest frames, if they have one.
func (m *noiseMeter) plateauDBFS() (dBFS float64, ok bool) {
	if m.all.count < minPlateauFrames {
		return 0, false
	}
	_, low := m.all.quantile(plateauLow)
	top, high := m.all.quantile(plateauHigh)
	if high-low > plateauDB {
		return 0, false
	}
	frames, periodic := 0, 0
	for bin := range top + 1 {
		frames += m.all.bins[bin].count
		periodic += m.periodic[bin]
	}
	if float64(periodic) > maxPlateauPeriodic*float64(frames) {
		return 0, false
	}
	_, level := m.all.quantile(plateauLevel)
	return level, true
}

// levelCounts is a histogram of frame levels.
type levelCounts struct {
	bins [levelBins]struct {
		count int
		power float64
	}
	count int
}

// add returns the bin of the frame.
func (c *levelCounts) add(power float64) int {
	bin := levelBin(powerDB(power))
	c.bins[bin].count++
	c.bins[bin].power += power
	c.count++
	return bin
}

func levelBin(dBFS float64) int {
	return max(0, min(levelBins-1, int((dBFS-FloorDBFS)*levelBinsPerDB)))
}

// quantile returns the level that this share of the frames does not exceed, and its bin.
func (c *levelCounts) quantile(share float64) (bin int, dBFS float64) {
	passed := 0
	for bin, b := range c.bins {
		if passed += b.count; b.count > 0 && float64(passed) >= share*float64(c.count) {
			return bin, powerDB(b.power / float64(b.count))
		}
	}
	return levelBins - 1, levelTopDBFS
}

// snrDB returns the active level less the noise floor; nil without either.
func snrDB(activeDBFS float64, floorDBFS *float64, speechMS float64) *float64 {
	if floorDBFS == nil || activeDBFS == NoSpeechDBFS || speechMS < minSNRSpeechMS || math.IsNaN(activeDBFS) {
		return nil
	}
	return new(activeDBFS - *floorDBFS)
}

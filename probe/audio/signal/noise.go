package signal

import "math"

const (
	levelBinsPerDB   = 4
	levelTopDBFS     = 6
	levelBins        = (levelTopDBFS - FloorDBFS) * levelBinsPerDB
	leastQuietFrames = 10 // 200 ms
	sureQuietFrames  = 25 // half a second: fewer may as well be soft speech
	leastSNRSpeechMS = 300

	leastPlateauFrames  = 150  // 3 s
	plateauLow          = 0.02 // of all frames: the lowest tenth, without the very lowest
	plateauHigh         = 0.10
	plateauLevel        = 0.05
	plateauDB           = 2.5 // widest
	mostPlateauPeriodic = 0.25

	// So far above the plateau, the quiet frames were not all quiet: consonants in noise. Further above, the
	// noise was not there all the time, and it is the noise that counts.
	consonantsDB = 1.5
	otherNoiseDB = 6
)

// noiseMeter finds the noise floor: the median level of the quiet frames. The median, not the mean, as a cough,
// a knock or a page turned does not make a room noisy.
//
// Who speaks without a pause leaves hardly any quiet frames, but in the stops and dips between the syllables
// there is nothing but noise. A steady noise shows there as a plateau: the lowest tenth of all frames have the
// same level, while those of speech alone, and of a room's reverberation, go on falling (minimum statistics,
// Martin 2001, with the distribution's lower end in place of a tracked minimum). Of 200 real voices cut
// together without pauses, those in noise 12 dB down have lowest tenths that span 0.4 to 3.7 dB, the clean
// ones 5 to 38 dB, and those in reverberation of 0.8 s 3.5 to 14 dB. A level that is kept by something with
// a pitch, such as a long vowel, is no noise.
type noiseMeter struct {
	quiet    levelCounts // of the frames judged to be quiet
	all      levelCounts // of all frames but the digital zeros
	periodic [levelBins]int
}

// addFrame takes any frame, before it is judged.
func (m *noiseMeter) addFrame(f *frame) {
	if f.zeros {
		return
	}
	bin := m.all.add(f.power)
	if f.periodicity >= leastPeriodicity {
		m.periodic[bin]++
	}
}

// floorDBFS is the noise floor; nil when it cannot be told. It is estimated when there are too few quiet parts
// to measure it in.
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
	// Few quiet frames count when nothing is much lower: soft speech has pauses that are.
	if _, low := m.all.quantile(plateauLow); m.hasQuiet() && quiet-low <= plateauDB {
		return &quiet, true
	}
	return nil, false
}

// hasQuiet says that there were parts that were quiet, but not digitally zero.
func (m *noiseMeter) hasQuiet() bool { return m.quiet.count >= leastQuietFrames }

// plateauDBFS is the level that the lowest frames have in common, if they have.
func (m *noiseMeter) plateauDBFS() (dBFS float64, ok bool) {
	if m.all.count < leastPlateauFrames {
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
	if float64(periodic) > mostPlateauPeriodic*float64(frames) {
		return 0, false
	}
	_, level := m.all.quantile(plateauLevel)
	return level, true
}

// levelCounts counts frames by level.
type levelCounts struct {
	bins [levelBins]struct {
		count int
		power float64
	}
	count int
}

// add returns the bin that the frame fell into.
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

// quantile is the level that this share of the frames does not exceed, and its bin.
func (c *levelCounts) quantile(share float64) (bin int, dBFS float64) {
	passed := 0
	for bin, b := range c.bins {
		if passed += b.count; b.count > 0 && float64(passed) >= share*float64(c.count) {
			return bin, powerDB(b.power / float64(b.count))
		}
	}
	return levelBins - 1, levelTopDBFS
}

// snrDB is the active level less the noise floor; nil without either.
func snrDB(activeDBFS float64, floorDBFS *float64, speechMS float64) *float64 {
	if floorDBFS == nil || activeDBFS == NoSpeechDBFS || speechMS < leastSNRSpeechMS || math.IsNaN(activeDBFS) {
		return nil
	}
	return new(activeDBFS - *floorDBFS)
}

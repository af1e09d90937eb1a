package signal

import "math"

const (
	noiseBinsPerDB   = 4
	noiseTopDBFS     = 6
	noiseBins        = (noiseTopDBFS - FloorDBFS) * noiseBinsPerDB
	leastQuietFrames = 10 // 200 ms
	leastSNRSpeechMS = 300
)

// noiseMeter gathers the levels of the quiet frames. Their median, not their mean, is the noise floor: a
// cough, a knock or a page turned does not make a room noisy.
type noiseMeter struct {
	frames [noiseBins]struct {
		count int
		power float64
	}
	count int
}

func (m *noiseMeter) add(power float64) {
	bin := max(0, min(noiseBins-1, int((powerDB(power)-FloorDBFS)*noiseBinsPerDB)))
	m.frames[bin].count++
	m.frames[bin].power += power
	m.count++
}

// floorDBFS is the median level of the quiet frames; nil when there are too few.
func (m *noiseMeter) floorDBFS() *float64 {
	if m.count < leastQuietFrames {
		return nil
	}
	passed := 0
	for _, bin := range m.frames {
		if passed += bin.count; 2*passed >= m.count {
			return new(powerDB(bin.power / float64(bin.count)))
		}
	}
	return nil
}

// snrDB is the active level less the noise floor; nil without either.
func snrDB(activeDBFS float64, floorDBFS *float64, speechMS float64) *float64 {
	if floorDBFS == nil || activeDBFS == NoSpeechDBFS || speechMS < leastSNRSpeechMS || math.IsNaN(activeDBFS) {
		return nil
	}
	return new(activeDBFS - *floorDBFS)
}

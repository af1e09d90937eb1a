package signal

import "math"

const (
	dropoutMinS, dropoutMaxS = 0.010, 2.0
	dropoutEdgeS             = 0.002 // what counts as the edge of a gap
	dropoutAroundS           = 0.020 // and as the sound around it
	dropoutEdgeShare         = 0.063 // least power at the edge relative to the sound around: -12 dB
	dropoutJumpShare         = 0.04  // least power of the very last or first sample, likewise: -14 dB
	dropoutLeastPower        = 1e-6  // -60 dBFS
	tornBelowActiveDB        = 12    // softer sounds do not tell a lost buffer from a gate that closes
	tornShare                = 4     // with one in so many torn off, the others were lost as well
	othersPerTorn            = 10    // others among which one that looks torn off is chance
	tornLevels               = 7 - FloorDBFS
)

// dropoutMeter finds runs of exact zero between sounds: lost buffers, but also the pauses behind a noise gate. A
// gate closes once the sound has become soft, far below the level of the voice; a buffer is lost at any moment,
// and so most of the time in the middle of the voice. Where enough of the runs follow on a loud sound, all of them
// are lost sound; where few do, those, less what chance makes of the others. Whether the pauses carry a background
// says less: who speaks without a pause has none to look at.
type dropoutMeter struct {
	minRun, maxRun, around int
	ofSample, ofChunk      gains

	heard soundBefore // since the last gap
	zeros int

	// A gap that is waiting for the sound after it.
	gap     int
	before  soundBefore
	resumed int
	first   float64 // power of the first sample after it
	after   float64 // and of the sound

	between gapCount             // those between sounds
	torn    [tornLevels]gapCount // of those, where the sound did not fade, by its level in dB
}

// soundBefore is the power of a sound before a gap: of its last sample, right at the gap, and around.
type soundBefore struct{ last, edge, around float64 }

// torn: the sound did not fade towards the gap, and it leaps into it or the next sound out of it. Where a synthetic
// voice pauses, both come near zero.
func (s soundBefore) torn(first, after float64) bool {
	leaps := s.last >= dropoutJumpShare*s.around || first >= dropoutJumpShare*after
	return leaps && s.edge >= dropoutEdgeShare*s.around
}

// add follows the sound by exponential averages; zeros now and then do not count.
func (s *soundBefore) add(samples []float64, g gains) {
	for _, x := range samples {
		if x != 0 {
			s.addPower(x*x, g)
			s.last = x * x
		}
	}
}

func (s *soundBefore) addPower(power float64, g gains) {
	s.edge += g.edge * (power - s.edge)
	s.around += g.around * (power - s.around)
}

// gains are the weights of what is new in the averages.
type gains struct{ edge, around float64 }

func gainsOf(seconds float64) gains {
	return gains{1 - math.Exp(-seconds/dropoutEdgeS), 1 - math.Exp(-seconds/dropoutAroundS)}
}

func newDropoutMeter(rateHz int) dropoutMeter {
	rate := float64(rateHz)
	return dropoutMeter{
		minRun: int(dropoutMinS * rate), maxRun: int(dropoutMaxS * rate), around: int(dropoutAroundS * rate),
		ofSample: gainsOf(1 / rate), ofChunk: gainsOf(surveyChunk / rate),
	}
}

// write takes a block and its survey. A gap is longer than two chunks, so it shows as one in which all is zero;
// the zeros of other chunks count where they begin or end it.
func (m *dropoutMeter) write(raw []float64, s *survey) {
	for n, c := range s.chunks {
		from := n * surveyChunk
		samples := raw[from:min(from+surveyChunk, len(raw))]
		if c.peak == 0 {
			m.zeros += len(samples)
			continue
		}
		if m.zeros > 0 {
			begin := leadingZeros(samples)
			m.endZeros(m.zeros+begin, samples[begin])
			m.zeros = 0
		}
		if m.gap > 0 {
			m.resumeWith(samples)
		}
		m.hear(samples, c)
	}
}

// hear follows the sound. By whole chunks that costs next to nothing; one that a gap may begin or end in is looked
// at sample by sample.
func (m *dropoutMeter) hear(samples []float64, c chunk) {
	last := samples[len(samples)-1]
	if samples[0] != 0 && last != 0 && len(samples) == surveyChunk {
		m.heard.addPower(c.squares/surveyChunk, m.ofChunk)
		m.heard.last = last * last
		return
	}
	m.heard.add(samples, m.ofSample)
	m.zeros = trailingZeros(samples)
}

func leadingZeros(samples []float64) (zeros int) {
	for samples[zeros] == 0 {
		zeros++
	}
	return zeros
}

func trailingZeros(samples []float64) (zeros int) {
	for samples[len(samples)-1-zeros] == 0 {
		zeros++
	}
	return zeros
}

// endZeros looks at a run of zeros, if it is long enough, and the first sample after it.
func (m *dropoutMeter) endZeros(zeros int, first float64) {
	if zeros < m.minRun {
		return
	}
	m.judgeZeros(zeros, first)
	m.heard = soundBefore{}
}

func (m *dropoutMeter) judgeZeros(zeros int, first float64) {
	m.gap = 0 // if there was one, the sound after it was too short to judge it by
	if zeros > m.maxRun {
		return
	}
	if m.heard.around >= dropoutLeastPower {
		m.gap, m.before = zeros, m.heard
		m.first, m.resumed, m.after = first*first, 0, 0
	}
}

func (m *dropoutMeter) resumeWith(samples []float64) {
	for _, x := range samples {
		if x == 0 {
			continue
		}
		if m.resume(x * x); m.gap == 0 {
			return
		}
	}
}

// resume gathers the sound after a gap and then decides on it.
func (m *dropoutMeter) resume(square float64) {
	m.after += square / float64(m.around)
	if m.resumed++; m.resumed < m.around {
		return
	}
	gap := m.gap
	m.gap = 0
	if m.after < dropoutLeastPower {
		return
	}
	m.between.add(gap)
	if m.before.torn(m.first, m.after) {
		m.torn[tornLevel(powerDB(m.before.around))].add(gap)
	}
}

func tornLevel(dBFS float64) int { return max(0, min(tornLevels-1, int(dBFS-FloorDBFS))) }

// result is the number of dropouts and the longest of them in samples, in a voice of this active level.
func (m *dropoutMeter) result(activeDBFS float64) (dropouts, longest int) {
	var torn gapCount
	for _, c := range m.torn[tornLevel(activeDBFS-tornBelowActiveDB):] {
		torn.merge(c)
	}
	others := m.between.count - torn.count
	if torn.count > 0 && torn.count*tornShare >= m.between.count {
		return m.between.count, m.between.longest
	}
	if byChance := (others + othersPerTorn - 1) / othersPerTorn; torn.count > byChance {
		return torn.count - byChance, torn.longest
	}
	return 0, 0
}

// gapCount counts gaps.
type gapCount struct{ count, longest int }

func (c *gapCount) add(gap int) { c.merge(gapCount{1, gap}) }

func (c *gapCount) merge(other gapCount) {
	c.count, c.longest = c.count+other.count, max(c.longest, other.longest)
}

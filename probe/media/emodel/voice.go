package emodel

// Voice is what a voice-like stream showed of a line, as a score needs it.
type Voice struct {
	// RTTMS is the network's round trip (p50). Half of it is the best guess of
	// the one-way delay without a common clock.
	RTTMS float64
	// PlayoutMS is the playout buffer assumed; LossPct must be what is lost or
	// later than that.
	PlayoutMS float64
	LossPct   float64  // 0 to 100
	BurstR    *float64 // nil without loss: random
}

// FrameMS is what Opus needs before it can send: a 20 ms frame (RFC 6716 §2.1.4)
// and the 6.5 ms of look-ahead libopus has by default.
const FrameMS = 26.5

// BurstyFrom is the burst ratio from which loss counts as bursty: losses come in
// runs half as long again as by chance. Our own choice; the source of the Opus
// values knows random and bursty and nothing between.
const BurstyFrom = 1.5

// MouthToEarMS is the one-way delay assumed: half the round trip, the playout
// buffer and the codec.
func (v Voice) MouthToEarMS() float64 { return v.RTTMS/2 + v.PlayoutMS + FrameMS }

// RateVoice is the default voice score: G.107.1 with Opus wideband at 13 kbit/s,
// the only Opus on that scale that was ever measured. Other codecs and rates
// score differently; the score says what it assumed. A value that is no number,
// negative or over 100 % is an [ErrParameter].
func RateVoice(v Voice) (Score, error) {
	for _, check := range []struct {
		name  string
		value float64
	}{{"RTT", v.RTTMS}, {"playout buffer", v.PlayoutMS}} {
		if err := inRange(check.name, check.value, 0, maxDelayMS); err != nil {
			return Score{}, err
		}
	}
	bursty := v.BurstR != nil && *v.BurstR >= BurstyFrom
	return RateWideband(OpusWideband(bursty), v.LossPct, v.MouthToEarMS())
}

package emodel

// Voice contains the measurements of a voice-like stream that a score needs.
type Voice struct {
	// RTTMS is the round trip of the network (p50). Half of it is the best estimate of the one-way
	// delay without a common clock.
	RTTMS float64
	// PlayoutMS is the assumed playout buffer; LossPct must include packets that are later than
	// that.
	PlayoutMS float64
	LossPct   float64  // 0 to 100
	BurstR    *float64 // nil without loss: random
}

// FrameMS is the delay of Opus before it can send: a 20 ms frame (RFC 6716 §2.1.4) and the default
// look-ahead of libopus of 6.5 ms.
const FrameMS = 26.5

// BurstyFrom is the burst ratio from which loss counts as bursty: runs of losses are 1.5 times as
// long as by chance. The value is our own choice; the source of the Opus values distinguishes only
// random and bursty loss.
const BurstyFrom = 1.5

// MouthToEarMS returns the assumed one-way delay: half the round trip, the playout buffer and the
// codec.
func (v Voice) MouthToEarMS() float64 { return v.RTTMS/2 + v.PlayoutMS + FrameMS }

// RateVoice returns the default voice score: G.107.1 with Opus wideband at 13 kbit/s, the only Opus
// rate that was measured on that scale. The score names this assumption. A value that is NaN,
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

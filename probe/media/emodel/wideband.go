package emodel

// RateWideband computes G.107.1 for an echo-free connection (headset or echo canceller):
// R = 129 - Idd - Ie,eff, MOS of R/1.29. The constant in Ie,eff is 95, although the scale
// ends at 129. lossPct is the share of packets that are lost or too late; oneWayMS is the
// mouth-to-ear delay.
//
// There is no burst ratio: a codec's Bpl is measured for either random or bursty loss, and
// dividing by the ratio would count the bursts twice.
func RateWideband(c Codec, lossPct, oneWayMS float64) (Score, error) {
	idd, err := prepare(c, lossPct, oneWayMS, narrowIeTop)
	if err != nil {
		return Score{}, err
	}
	return newScore(wideTop-idd-effectiveIe(c, lossPct, 1, narrowIeTop), Wideband, c.Name), nil
}

// RateFullband computes G.107.2 for an echo-free connection:
// R = 148 - 1.48·Idd - [Ie + (132-Ie)·Ppl/(Ppl+Bpl)], MOS of R/1.48.
func RateFullband(c Codec, lossPct, oneWayMS float64) (Score, error) {
	idd, err := prepare(c, lossPct, oneWayMS, fullIeTop)
	if err != nil {
		return Score{}, err
	}
	return newScore(fullTop-1.48*idd-effectiveIe(c, lossPct, 1, fullIeTop), Fullband, c.Name), nil
}

func prepare(c Codec, lossPct, oneWayMS, ieTop float64) (idd float64, err error) {
	if err := c.validate(lossPct, 1, ieTop); err != nil {
		return 0, err
	}
	if err := inRange("Ta", oneWayMS, 0, maxDelayMS); err != nil {
		return 0, err
	}
	return delayImpairment(oneWayMS, Defaults().ST, Defaults().MT), nil
}

package emodel

import (
	"errors"
	"fmt"
	"math"
)

// ErrParameter means that a value is outside of the domain of a formula.
var ErrParameter = errors.New("parameter out of the range of the E-model")

// Params are the inputs of G.107 with their names there (Table 2). Levels are in dB or dBm0,
// delays in ms, losses in percent.
type Params struct {
	SLR, RLR   float64 // send and receive loudness rating, dB
	OLR        float64 // overall loudness rating, dB
	STMR, LSTR float64 // side-tone masking and listener side-tone rating, dB
	Ds         float64 // D-value of the telephone, send side
	TELR, WEPL float64 // talker echo loudness rating, weighted echo path loss, dB
	T, Tr, Ta  float64 // one-way mean, round-trip and absolute one-way delay, ms
	Qdu        float64 // quantization distortion units
	Ie, Bpl    float64 // equipment impairment factor, packet-loss robustness factor
	Ppl        float64 // random packet-loss probability, percent
	BurstR     float64 // burst ratio, 1 = random
	Nc, Nfor   float64 // circuit noise, noise floor at the receive side, dBm0p
	Ps, Pr     float64 // room noise, dB(A)
	A          float64 // advantage factor
	ST, MT     float64 // delay sensitivity sT, and mT in ms
}

// Defaults are the default values of G.107 Table 2. They give R = 93.2062.
func Defaults() Params {
	return Params{
		SLR: 8, RLR: 2, OLR: 10, STMR: 15, LSTR: 18, Ds: 3, TELR: 65, WEPL: 110,
		Qdu: 1, Bpl: 4.3, BurstR: 1, Nc: -70, Nfor: -64, Ps: 35, Pr: 35, ST: 1, MT: 100,
	}
}

// Validate returns an [ErrParameter] for values for which the formulas are undefined. Measured
// values beyond the permitted range of the table are accepted if the formula still holds, such as
// 40 % loss.
func (p Params) Validate() error {
	for _, check := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"SLR", p.SLR, 0, 18}, {"RLR", p.RLR, -5, 14}, {"OLR", p.OLR, -5, 32},
		{"STMR", p.STMR, 10, 20}, {"LSTR", p.LSTR, 13, 23}, {"Ds", p.Ds, -3, 3},
		{"TELR", p.TELR, 5, 65}, {"WEPL", p.WEPL, 5, 110},
		{"T", p.T, 0, maxDelayMS}, {"Tr", p.Tr, 0, 2 * maxDelayMS}, {"Ta", p.Ta, 0, maxDelayMS},
		{"qdu", p.Qdu, 1, 14}, {"Nc", p.Nc, -80, -40}, {"Nfor", p.Nfor, -90, -40},
		{"Ps", p.Ps, 35, 85}, {"Pr", p.Pr, 35, 85}, {"A", p.A, 0, 20},
		{"sT", p.ST, 0.1, 1}, {"mT", p.MT, 20, 150},
	} {
		if err := inRange(check.name, check.value, check.low, check.high); err != nil {
			return err
		}
	}
	return Codec{Ie: p.Ie, Bpl: p.Bpl}.validate(p.Ppl, p.BurstR, narrowIeTop)
}

// maxDelayMS excludes delays from a faulty clock.
const maxDelayMS = 60_000

func inRange(name string, value, low, high float64) error {
	if math.IsNaN(value) || value < low || value > high {
		return fmt.Errorf("%w: %s = %v, want %v to %v", ErrParameter, name, value, low, high)
	}
	return nil
}

// Codec contains the impairment values of a codec on the scale of one model.
type Codec struct {
	Name string  // codec, bit rate, kind of loss and source
	Ie   float64 // equipment impairment factor without loss
	Bpl  float64 // packet-loss robustness factor
}

func (c Codec) validate(ppl, burstR, ieTop float64) error {
	for _, check := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"Ie", c.Ie, 0, ieTop}, {"Bpl", c.Bpl, 1, 100}, {"Ppl", ppl, 0, 100}, {"BurstR", burstR, 0.01, 10_000},
	} {
		if err := inRange(check.name, check.value, check.low, check.high); err != nil {
			return err
		}
	}
	return nil
}

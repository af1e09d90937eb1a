package emodel

import "math"

// RateNarrowband computes G.107. codecName describes Ie and Bpl. A value out of range is an
// [ErrParameter].
func RateNarrowband(p Params, codecName string) (Score, error) {
	if err := p.Validate(); err != nil {
		return Score{}, err
	}
	return newScore(rateNarrowband(p).r, Narrowband, codecName), nil
}

// narrowTerms are the terms of R = Ro-Is-Id-Ie,eff+A (G.107 eq. 7-1).
type narrowTerms struct{ no, ro, is, idte, idle, idd, ieEff, r float64 }

func rateNarrowband(p Params) narrowTerms {
	var t narrowTerms
	t.no = p.noise()
	t.ro = 15 - 1.5*(p.SLR+t.no)
	t.is = p.loudness(t.no) + p.sidetone() + p.quantization(t.ro)
	t.idte = p.talkerEcho(t.no)
	t.idle = p.listenerEcho(t.ro)
	t.idd = delayImpairment(p.Ta, p.ST, p.MT)
	t.ieEff = effectiveIe(Codec{Ie: p.Ie, Bpl: p.Bpl}, p.Ppl, p.BurstR, narrowIeTop)
	t.r = t.ro - t.is - (t.idte + t.idle + t.idd) - t.ieEff + p.A
	return t
}

// noise is No, the power sum of all noise sources at the 0 dBr point (§7.1).
func (p Params) noise() float64 {
	nos := p.Ps - p.SLR - p.Ds - 100 + .004*sq(p.Ps-p.OLR-p.Ds-14)
	pre := p.Pr + 10*math.Log10(1+dB(10-p.LSTR))
	nor := p.RLR - 121 + pre + .008*sq(pre-35)
	nfo := p.Nfor + p.RLR
	return 10 * math.Log10(dB(p.Nc)+dB(nos)+dB(nor)+dB(nfo))
}

// loudness is Iolr: the impairment of a connection that is too loud or too quiet.
func (p Params) loudness(no float64) float64 {
	x := (p.OLR + .2*(64+no-p.RLR)) / 8
	return 20 * (math.Pow(1+math.Pow(x, 8), 1.0/8) - x)
}

// sidetone is Ist: the impairment by non-optimum sidetone.
func (p Params) sidetone() float64 {
	stmro := -10 * math.Log10(dB(-p.STMR)+math.Exp(-p.T/4)*dB(-p.TELR))
	bend := func(offset, width, power float64) float64 {
		return math.Pow(1+math.Pow((stmro+offset)/width, power), 1/power)
	}
	return 12*bend(-13, 6, 8) - 28*bend(1, 19.4, 35) - 13*bend(-3, 33, 13) + 29
}

// quantization is Iq.
func (p Params) quantization(ro float64) float64 {
	q := 37 - 15*math.Log10(p.Qdu)
	g := 1.07 + .258*q + .0602*q*q
	y := (ro-100)/15 + 46/8.4 - g/9
	z := 46.0/30 - g/40
	return 15 * math.Log10(1+math.Pow(10, y)+math.Pow(10, z))
}

// talkerEcho is Idte: the impairment by an echo of the talker after T.
func (p Params) talkerEcho(no float64) float64 {
	terv := p.TELR - 40*math.Log10((1+p.T/10)/(1+p.T/150)) + 6*math.Exp(-.3*p.T*p.T)
	re := 80 + 2.5*(terv-14)
	roe := -1.5 * (no - p.RLR)
	half := (roe - re) / 2
	return (half + math.Sqrt(half*half+100) - 1) * (1 - math.Exp(-p.T))
}

// listenerEcho is Idle: the impairment by an echo of the other side.
func (p Params) listenerEcho(ro float64) float64 {
	rle := 10.5 * (p.WEPL + 7) * math.Pow(p.Tr+1, -.25)
	half := (ro - rle) / 2
	return half + math.Sqrt(half*half+169)
}

func dB(x float64) float64 { return math.Pow(10, x/10) }
func sq(x float64) float64 { return x * x }

package emodel

import "math"

// Model is the recommendation by which a score was computed.
type Model string

// The models.
const (
	Narrowband Model = "G.107"
	Wideband   Model = "G.107.1"
	Fullband   Model = "G.107.2"
)

// Highest R of each model, without any impairment.
const (
	wideTop = 129.0
	fullTop = 148.0
)

// Score is a rating together with its model and codec, without which the numbers have no
// meaning.
type Score struct {
	R     float64 // rating factor on the scale of Model
	MOS   float64 // MOS-CQE, 1 to 4.5
	Model string  // "G.107", "G.107.1" or "G.107.2"
	Codec string  // codec and the source of its impairment values
}

func newScore(r float64, model Model, codec string) Score {
	return Score{R: r, MOS: mosOf(model, r), Model: string(model), Codec: codec}
}

// MOS converts an R on the narrowband scale of 0 to 100 (G.107 Annex B). The polynomial is
// below 1 for 0 < R < 6.5, so the result is clamped to 1 to 4.5. NaN yields NaN.
func MOS(r float64) float64 {
	switch {
	case math.IsNaN(r):
		return r
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+.035*r+r*(r-60)*(100-r)*7e-6)
}

// mosOf converts R to the narrowband scale first: R/1.29 in G.107.1, R/1.48 in G.107.2.
func mosOf(model Model, r float64) float64 {
	switch model {
	case Wideband:
		return MOS(r / 1.29)
	case Fullband:
		return MOS(r / 1.48)
	default:
		return MOS(r)
	}
}

// Satisfaction is the user satisfaction of G.109, Table 1 and G.107 Annex B.
type Satisfaction string

// The categories, best first.
const (
	VerySatisfied         Satisfaction = "very_satisfied"
	Satisfied             Satisfaction = "satisfied"
	SomeDissatisfied      Satisfaction = "some_dissatisfied"
	ManyDissatisfied      Satisfaction = "many_dissatisfied"
	NearlyAllDissatisfied Satisfaction = "nearly_all_dissatisfied"
	NotRecommended        Satisfaction = "not_recommended"
	SatisfactionUnknown   Satisfaction = "unknown"
)

// Satisfaction classifies the score. The limits are those of R on the narrowband scale, 90,
// 80, 70, 60 and 50, compared through MOS so that they hold for every model. Each limit is
// compared once, from above, so every score has exactly one category. NaN is unknown.
func (s Score) Satisfaction() Satisfaction {
	switch {
	case math.IsNaN(s.MOS):
		return SatisfactionUnknown
	case s.MOS >= MOS(90):
		return VerySatisfied
	case s.MOS >= MOS(80):
		return Satisfied
	case s.MOS >= MOS(70):
		return SomeDissatisfied
	case s.MOS >= MOS(60):
		return ManyDissatisfied
	case s.MOS >= MOS(50):
		return NearlyAllDissatisfied
	}
	return NotRecommended
}

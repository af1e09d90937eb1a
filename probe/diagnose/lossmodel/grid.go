package lossmodel

import (
	"math"
	"sync"
)

// The grid of rates, evenly spaced in log odds: from 1 in 2000 to all but 1 in 500.
const (
	rates     = 80
	lowest    = -7.6
	highest   = 6.3
	logitStep = (highest - lowest) / (rates - 1)
)

// constants contains what depends on the grid only.
type constants struct {
	rate, logRate, logKept table
	// omitted contains, for each share of responses that a point omits, the apparent
	// rate for each rate of loss.
	omitted [omittedSteps]logs
	// roundTrip is the position on the grid of the round-trip loss, with rate i in one
	// direction and rate j in the other.
	roundTrip [rates][rates]position
	// prior is the prior probability of each pair of rates, for a loss in both
	// directions, up only, and down only.
	prior [directions][rates][rates]float64
	// background is the prior of each rate in a segment without a fault: every
	// line loses a little.
	background table
}

// logs contains the logarithms of rates and of their complements.
type logs struct{ logRate, logKept table }

// omittedSteps is the number of shares of omitted responses that are considered. A
// hundred packets do not distinguish neighbouring ones.
const omittedSteps = 32

// maxOmittedLogit bounds these shares in log odds: 2 % to 98 %.
const maxOmittedLogit = 3.9

// grid computes the constants once. They must not be modified.
var grid = sync.OnceValue(func() *constants {
	g := &constants{}
	sum := 0.0
	for i := range rates {
		g.rate[i] = expit(lowest + logitStep*float64(i))
		g.logRate[i], g.logKept[i] = math.Log(g.rate[i]), math.Log1p(-g.rate[i])
		g.background[i] = jeffreys(g.rate[i]) * math.Exp(-g.rate[i]/backgroundLoss)
		sum += g.background[i]
	}
	for i := range rates {
		for k := range omittedSteps {
			left := expit(maxOmittedLogit * (2*float64(k)/(omittedSteps-1) - 1))
			p := combined(g.rate[i], left)
			g.omitted[k].logRate[i], g.omitted[k].logKept[i] = math.Log(p), math.Log1p(-p)
		}
		g.background[i] /= sum
		for j := range rates {
			g.roundTrip[i][j] = positionOf(combined(g.rate[i], g.rate[j]))
		}
	}
	g.fillPriors()
	return g
})

func (g *constants) fillPriors() {
	for i, u := range g.rate {
		for j, d := range g.rate {
			ratio := math.Log(u/d) / directionSpread
			g.prior[Both][i][j] = jeffreys(math.Sqrt(u*d)) * math.Exp(-ratio*ratio/2)
			g.prior[Up][i][j] = jeffreys(u) * g.background[j]
			g.prior[Down][i][j] = g.background[i] * jeffreys(d)
		}
	}
	for k := range g.prior {
		sum := 0.0
		for i := range rates {
			for j := range rates {
				sum += g.prior[k][i][j]
			}
		}
		for i := range rates {
			for j := range rates {
				g.prior[k][i][j] *= directionPrior[k] / sum
			}
		}
	}
}

func rate(i int) float64 { return grid().rate[i] }

func expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// table is a function of the rate.
type table = [rates]float64

// position is a point between two neighbouring rates of the grid.
type position struct {
	i     int
	share float64
}

func positionOf(p float64) position {
	if !(p > 0) {
		return position{}
	}
	x := float64(rates - 1)
	if p < 1 {
		x = min(x, max(0, (logit(p)-lowest)/logitStep))
	}
	i := min(int(x), rates-2)
	return position{i, x - float64(i)}
}

func (p position) of(f *table) float64 { return f[p.i]*(1-p.share) + f[p.i+1]*p.share }

// at interpolates f at the rate p.
func at(f table, p float64) float64 { return positionOf(p).of(&f) }

// combined returns the loss of a round trip that loses u up and d down.
func combined(u, d float64) float64 { return 1 - (1-u)*(1-d) }

// partOf returns the loss in the nearer of two segments that together lose p.
func partOf(p, share float64) float64 { return 1 - math.Pow(1-p, share) }

func flat() (f table) {
	for i := range f {
		f[i] = 1
	}
	return f
}

// backgroundLoss is the scale of the exponential prior for a segment without a fault.
const backgroundLoss = 0.003

// jeffreys returns Jeffreys' prior for a share, per step in log odds.
func jeffreys(p float64) float64 { return math.Sqrt(p * (1 - p)) }

// directionSpread is the standard deviation of the log ratio of the two rates in a
// segment that loses in both directions.
const directionSpread = 0.6

// directionPrior is the prior of each direction.
var directionPrior = [directions]float64{Both: 0.6, Up: 0.2, Down: 0.2}

func product(f, g table) table {
	for i := range f {
		f[i] *= g[i]
	}
	return f
}

// mean returns the mean of f with the weights w.
func mean(f, w table) (sum float64) {
	for i := range f {
		sum += f[i] * w[i]
	}
	return sum
}

// summary returns the mean and the 95 % interval of a distribution over the rates.
func summary(w table) Rate {
	return Rate{100 * mean(grid().rate, w), 100 * quantile(w, 0.025), 100 * quantile(w, 0.975)}
}

// quantile treats the weight of each point as evenly distributed over its step.
func quantile(w table, q float64) float64 {
	sum := 0.0
	for i, v := range w {
		if sum+v >= q && v > 0 {
			return expit(lowest + logitStep*(float64(i)-0.5+(q-sum)/v))
		}
		sum += v
	}
	return rate(rates - 1)
}

func above(w table, pct float64) (sum float64) {
	edge := (logit(pct/100)-lowest)/logitStep + 0.5 // in steps from the lower end of the first step
	for i, v := range w {
		sum += v * min(1, max(0, float64(i)+1-edge))
	}
	return sum
}

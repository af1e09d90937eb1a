package lossmodel

import (
	"math"
	"sync"
)

// The grid of rates, even in log odds: from one in 2000 to all but one in 500.
const (
	rates     = 80
	lowest    = -7.6
	highest   = 6.3
	logitStep = (highest - lowest) / (rates - 1)
)

// constants are what every estimate needs of the grid alone.
type constants struct {
	rate, logRate, logKept table
	// leftOut are, for each share of answers that a point leaves out, the rates at
	// which it seems to lose beside each rate of loss.
	leftOut [limitSteps]logs
	// roundTrip is where the loss of a round trip lies on the grid whose ways lose
	// rate i and rate j.
	roundTrip [rates][rates]position
	// prior is how probable each pair of rates is for a loss both ways, up, and
	// down.
	prior [directions][rates][rates]float64
	// background is how probable each rate is for a segment that is not the
	// culprit: no line is without any loss.
	background table
}

// logs are the logs of some rates and of their complements.
type logs struct{ logRate, logKept table }

// limitSteps is how many shares of left out answers are looked at: so many that a
// hundred packets do not tell neighbouring ones apart.
const limitSteps = 32

// limitedTo are the least and the largest of them, in log odds: 2 % and 98 %.
const limitedTo = 3.9

// grid is worked out once, and never changed.
var grid = sync.OnceValue(func() *constants {
	g := &constants{}
	sum := 0.0
	for i := range rates {
		g.rate[i] = expit(lowest + logitStep*float64(i))
		g.logRate[i], g.logKept[i] = math.Log(g.rate[i]), math.Log1p(-g.rate[i])
		g.background[i] = jeffreys(g.rate[i]) * math.Exp(-g.rate[i]/usualLoss)
		sum += g.background[i]
	}
	for i := range rates {
		for k := range limitSteps {
			left := expit(limitedTo * (2*float64(k)/(limitSteps-1) - 1))
			p := either(g.rate[i], left)
			g.leftOut[k].logRate[i], g.leftOut[k].logKept[i] = math.Log(p), math.Log1p(-p)
		}
		g.background[i] /= sum
		for j := range rates {
			g.roundTrip[i][j] = positionOf(either(g.rate[i], g.rate[j]))
		}
	}
	g.fillPriors()
	return g
})

func (g *constants) fillPriors() {
	for i, u := range g.rate {
		for j, d := range g.rate {
			ratio := math.Log(u/d) / alike
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

// position is a place on the grid, between two of its points.
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

// at is a function of the rate between the points of the grid.
func at(f table, p float64) float64 { return positionOf(p).of(&f) }

// either is the loss of a round trip whose ways lose u and d.
func either(u, d float64) float64 { return 1 - (1-u)*(1-d) }

// portion is the part of a loss that the nearer of two segments has.
func portion(p, share float64) float64 { return 1 - math.Pow(1-p, share) }

func flat() (f table) {
	for i := range f {
		f[i] = 1
	}
	return f
}

// usualLoss is how much a segment loses that nobody complains of: most less, few
// more.
const usualLoss = 0.003

// jeffreys is Jeffreys' prior for a share, per step in log odds.
func jeffreys(p float64) float64 { return math.Sqrt(p * (1 - p)) }

// alike is the standard deviation of the log of the ratio of the two directions
// of a segment that loses both ways.
const alike = 0.6

// shares of the directions, before anything is counted.
var directionPrior = [directions]float64{Both: 0.6, Up: 0.2, Down: 0.2}

// mean of f under the weights w.
func mean(f, w table) (sum float64) {
	for i := range f {
		sum += f[i] * w[i]
	}
	return sum
}

// summary is the mean and the interval of a distribution over the rates.
func summary(w table) Rate {
	return Rate{100 * mean(grid().rate, w), 100 * quantile(w, 0.025), 100 * quantile(w, 0.975)}
}

// quantile reads the distribution as even over the step around each point.
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
	edge := (logit(pct/100)-lowest)/logitStep + 0.5 // in steps from the lower end of the first
	for i, v := range w {
		sum += v * min(1, max(0, float64(i)+1-edge))
	}
	return sum
}

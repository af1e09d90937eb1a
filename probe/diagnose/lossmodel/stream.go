package lossmodel

import "math"

// unlikely is the minimum likelihood of a stream, relative to that at its own share. No
// model is complete: one unusual stream must not overrule all others.
const unlikely = 1e-6

// burstFactor returns how much more clustered the losses of a stream are than
// independent losses of the same share, whose mean run is 1/(1-p) packets: the burst
// ratio of ITU-T G.107 §7.3.
func burstFactor(c Count) float64 {
	if !c.Known() || !(c.RunPackets > 0) {
		return 1
	}
	return min(c.Sent, max(1, c.RunPackets*(1-c.Lost/c.Sent)))
}

// concentration returns the sum of the parameters of the beta distribution whose shares
// of n packets have factor times the variance of a binomial distribution.
func concentration(n, factor float64) float64 { return max(0.5, (n-factor)/(factor-1)) }

func logBeta(a, b float64) float64 {
	f := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	return f(a) + f(b) - f(a+b)
}

// likelihood returns the likelihood of a count of independent packets, given the
// logarithms of the rate and of its complement, relative to the likelihood at the
// observed share.
func likelihood(c Count, logRate, logKept float64) float64 {
	own := 0.0
	if c.Lost > 0 {
		own += c.Lost * math.Log(c.Lost/c.Sent)
	}
	if c.Lost < c.Sent {
		own += (c.Sent - c.Lost) * math.Log1p(-c.Lost/c.Sent)
	}
	return math.Exp(c.Lost*logRate + (c.Sent-c.Lost)*logKept - own)
}

// direct returns the likelihood of a stream of independent packets at each rate.
func direct(c Count) table {
	if !c.Known() {
		return flat()
	}
	g := grid()
	var f table
	for i := range f {
		f[i] = max(unlikely, likelihood(c, g.logRate[i], g.logKept[i]))
	}
	return f
}

// overTime converts a distribution of the share that was lost while the stream ran to
// one of the rate. They differ if losses come in bursts.
func overTime(w table, c Count) table {
	factor := burstFactor(c)
	if factor < 1.05 {
		return w
	}
	g := grid()
	size := concentration(c.Sent, factor)
	var f table
	for k := range w {
		if w[k] < 1e-9 {
			continue
		}
		// by is the posterior of each rate, given share k.
		var by table
		largest := math.Inf(-1)
		for i := range by {
			a, b := g.rate[i]*size, (1-g.rate[i])*size
			by[i] = a*g.logRate[k] + b*g.logKept[k] - logBeta(a, b)
			largest = max(largest, by[i])
		}
		sum := 0.0
		for i := range by {
			by[i] = math.Exp(by[i]-largest) * jeffreys(g.rate[i])
			sum += by[i]
		}
		for i := range by {
			f[i] += w[k] * by[i] / sum
		}
	}
	return f
}

// limited returns the likelihood of echoes to one point at each rate, if the point may omit
// responses. The share that it omits is unknown, so all shares have the same weight, and it
// applies to all streams to the point. The second stream ran at another time and may be
// missing.
func limited(e, before Echo, limits float64) table {
	g := grid()
	plain := pair(e, before, g.logRate[:], g.logKept[:], positionOf(backgroundLoss).i)
	if e.Lost+before.Lost == 0 {
		return plain
	}
	var f table
	for i := range f {
		f[i] = (1 - limits) * plain[i]
	}
	for k := range omittedSteps {
		for i, v := range pair(e, before, g.omitted[k].logRate[:], g.omitted[k].logKept[:], positionOf(backgroundLoss).i) {
			f[i] += limits / omittedSteps * v
		}
	}
	for i := range f {
		f[i] = max(unlikely, f[i])
	}
	return f
}

// pair returns the likelihood of two streams to one point at each rate. The second one
// may have had the background loss only.
func pair(e, before Echo, logRate, logKept []float64, usual int) table {
	f := flat()
	if heard(e) {
		for i := range f {
			f[i] = likelihood(e, logRate[i], logKept[i])
		}
	}
	if heard(before) {
		without := probOtherTime * likelihood(before, logRate[usual], logKept[usual])
		for i := range f {
			f[i] *= (1-probOtherTime)*likelihood(before, logRate[i], logKept[i]) + without
		}
	}
	return f
}

// asEvents counts each burst as one packet, for a stream of which only the rate
// matters.
func asEvents(c Count) Count {
	factor := burstFactor(c)
	return Count{Sent: c.Sent / factor, Lost: c.Lost / factor}
}

// probOtherTime is the probability that the loss had not begun, or had ended, when
// network.link measured the router, which it does before network.path.
const probOtherTime = 0.2

// group contains the streams that ran in step.
type group struct {
	lan, access, collector, server Echo
	// gateway is the stream to the same point as lan, at another time.
	gateway    Echo
	runPackets float64
	// of is the likelihood of each stream by rate, rest that in a segment
	// without a fault.
	of   [4]table
	rest [4]float64
}

func newGroup(s Streams) *group {
	g := &group{lan: s.ToLAN, access: s.ToAccess, collector: s.ToCollector, server: s.ToServer, runPackets: s.PathRunPackets}
	if g.gateway = asEvents(s.Gateway); !heard(g.gateway) {
		g.gateway = Echo{}
	}
	if g.runPackets == 0 {
		// No packet of these streams was lost, or it was not measured: bursts that
		// affected the voice may have passed between two rounds.
		g.runPackets = max(s.VoiceUp.RunPackets, s.VoiceDown.RunPackets)
	}
	router := routerLimits
	if g.access.Sent < errorsBelow {
		router = errorLimits
	}
	within := grid().background
	for i, share := range []float64{gatewayLimits, router, serverLimits, serverLimits} {
		before := Echo{}
		if i == 0 {
			before = g.gateway
		}
		g.of[i] = limited(g.all()[i], before, share)
		g.rest[i] = mean(g.of[i], within)
	}
	return g
}

// counts reports whether the likelihood of a point contains information.
func (g *group) counts(i int) bool { return heard(g.all()[i]) || i == 0 && heard(g.gateway) }

func (g *group) all() [4]Echo { return [4]Echo{g.lan, g.access, g.collector, g.server} }

// given returns the likelihood of the group at each rate of the round trip if h is
// true.
func (g *group) given(h hypothesis) table {
	shares := [4]float64{h.toLAN, h.toAccess, h.toCollector, h.toServer}
	together := 1.0
	crossing, longest := 0.0, 0.0
	for i, e := range g.all() {
		switch {
		case !g.counts(i):
		case shares[i] == 0:
			together *= g.rest[i]
		case heard(e):
			crossing++
			longest = max(longest, e.Sent)
		}
	}
	var byShare table // by the share lost while the streams ran
	for i := range byShare {
		byShare[i] = together
		for k := range g.all() {
			switch {
			case !g.counts(k) || shares[k] == 0:
			case shares[k] == 1:
				byShare[i] *= g.of[k][i]
			default:
				byShare[i] *= at(g.of[k], partOf(rate(i), shares[k]))
			}
		}
	}
	if crossing == 0 {
		return byShare
	}
	// A burst of r rounds in all m streams has r*m packets. The share that the streams
	// have in common varies like one with runs of r; each stream's own variation
	// already accounts for 1/m of it.
	factor := 1 + (g.independence()-1)/crossing
	if factor < 1.05 {
		return byShare
	}
	return spread(byShare, concentration(longest, min(factor, longest-1)))
}

// independence returns the number of packets of all streams that were lost at a time,
// relative to how many independent losses of the same share would coincide.
func (g *group) independence() float64 {
	if !(g.runPackets > 1) {
		return 1
	}
	sent, lost, streams := 0.0, 0.0, 0.0
	for _, e := range g.all() {
		if heard(e) {
			sent += e.Sent
			lost += e.Lost
			streams++
		}
	}
	p := lost / max(1, sent)
	return max(1, g.runPackets*(1-p)/(1+(streams-1)*p))
}

// spread integrates over the share that was lost while the streams ran, which is beta
// distributed around the rate.
func spread(byShare table, size float64) (f table) {
	g := grid()
	for i := range f {
		a, b := g.rate[i]*size, (1-g.rate[i])*size
		var weights table
		largest := math.Inf(-1)
		for k := range weights {
			weights[k] = a*g.logRate[k] + b*g.logKept[k]
			largest = max(largest, weights[k])
		}
		// Below the grid nothing was lost: its weight is the integral of the tail.
		tail := math.Exp(weights[0]-largest) / (a * logitStep)
		sum, all := tail*byShare[0], tail
		for k, w := range weights {
			if w = w - largest; w > -30 {
				w = math.Exp(w)
				sum += w * byShare[k]
				all += w
			}
		}
		f[i] = sum / all
	}
	return f
}

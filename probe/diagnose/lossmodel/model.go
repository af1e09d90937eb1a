// Package lossmodel estimates packet loss from the counts of several streams.
//
// Each stream crosses some segments of the way: an echo to the next router
// crosses the own network up and down, an echo to the provider's router the
// access line as well, the voice each segment in one direction. A loss in one
// segment therefore shows in every stream that crosses it and in no other. The
// model holds the counts of all streams against each place at which the loss may
// come about and against each pair of rates, up and down, and returns how
// probable each is (Bayes' theorem on a grid).
//
// Three departures from independent packets are part of it:
//
//   - Packets in a burst are lost together, so that a burst is one event. The
//     share lost during the measurement then scatters around the rate more than a
//     binomial share does: beta-binomial, with the measured run length as the
//     factor by which the variance is larger.
//   - Streams that run in step meet the same bursts. They differ from each other
//     only by where they end, so that the share lost while they ran is common to
//     them, and integrated over.
//   - Routers limit the rate at which they answer (RFC 1812 section 4.3.2.8). A
//     router that leaves answers out loses packets of its own stream and of none
//     behind it. That is a possibility of each stream to a point, and blames no
//     segment.
package lossmodel

import "math"

// Place is where packets get lost.
type Place int

// The places, nearest first. Where the path has one far end, Server is all that
// lies behind the provider's router. Where it has two, Transit is what both
// share, Collector the branch to the one and Server the branch to the other.
// Elsewhere is a loss that the voice alone meets: at another time, or on another
// way than the path's.
const (
	LAN Place = iota
	Access
	Transit
	Collector
	Server
	Elsewhere
	places
)

// Count is what a stream lost.
type Count struct {
	Sent, Lost float64
	// RunPackets is the mean number of packets lost in a row; 0 where that was
	// not measured.
	RunPackets float64
}

// countsFrom is how many packets a stream needs before it counts.
const countsFrom = 8

// Known reports whether the stream can be judged.
func (c Count) Known() bool {
	return c.Sent >= countsFrom && c.Sent < 1e9 && c.Lost >= 0 && c.Lost <= c.Sent
}

// Echo is a stream to a point that answers each packet.
type Echo = Count

// heard reports whether an echo can be judged: a point that answers nothing at
// all is silent, not lossy.
func heard(e Echo) bool { return e.Known() && e.Lost < e.Sent }

// Streams is all that was counted.
type Streams struct {
	// VoiceUp and VoiceDown are the voice, one direction each.
	VoiceUp, VoiceDown Count
	// Gateway is network.link's stream to the next router, at a time of its own.
	Gateway Echo
	// ToLAN to ToServer are network.path's streams, in step: to the next router,
	// the provider's router, the collector and the conference server.
	ToLAN, ToAccess, ToCollector, ToServer Echo
	// PathRunPackets is how many packets of the path's streams were lost at a
	// time, all streams together; 0 where that was not measured.
	PathRunPackets float64
	// Known is the place where it is known by more than counts; nil otherwise.
	Known *Place
	// Supposed is a place that another judgement gave; nil without one.
	Supposed *Place
	// Together says that both ways lost at the same times, as while a line is away:
	// an echo is lost once then, and not by either way.
	Together bool
}

// Direction is which way a loss goes.
type Direction int

// The directions.
const (
	Both Direction = iota
	Up
	Down
	directions
)

// Rate is an estimate of a share of packets, in percent: the posterior mean
// and its equal-tailed 95 % interval.
type Rate struct{ Pct, LowPct, HighPct float64 }

// Posterior is what the streams say together.
type Posterior struct {
	// Up and Down are the loss on the whole way.
	Up, Down Rate
	// Worst is the loss of the direction that loses more.
	Worst Rate
	// place and direction are given that the loss disturbs.
	place     [places]float64
	direction [places][directions]float64
	up, down  table
	worst     table
}

// At is how probable it is that the loss comes about in p, given that there is a
// loss that disturbs.
func (p Posterior) At(place Place) float64 { return p.place[place] }

// Goes is how probable it is that a loss in place goes that way.
func (p Posterior) Goes(place Place, d Direction) float64 {
	if p.place[place] == 0 {
		return 0
	}
	return p.direction[place][d] / p.place[place]
}

// UpAbove is how probable it is that more than pct percent get lost on the way up.
func (p Posterior) UpAbove(pct float64) float64 { return above(p.up, pct) }

// WorstAbove is the same for the worse direction.
func (p Posterior) WorstAbove(pct float64) float64 { return above(p.worst, pct) }

// DownAbove is the same for the way down.
func (p Posterior) DownAbove(pct float64) float64 { return above(p.down, pct) }

// Estimate weighs all hypotheses. disturbsPct is the share of packets from which
// on a loss matters: the place is that of such a loss. ok is false where nothing
// was counted, or nothing lost.
func Estimate(s Streams, disturbsPct float64) (p Posterior, ok bool) {
	if s.lost() == 0 {
		return p, false
	}
	g := newGroup(s)
	up, down := direct(s.VoiceUp), direct(s.VoiceDown)
	within := grid().background
	routerMissing := heard(s.ToLAN) && !heard(s.ToAccess) && (heard(s.ToCollector) || heard(s.ToServer))
	for _, h := range hypotheses(s) {
		prior := h.prior * weightOf(h, s)
		if prior == 0 {
			continue
		}
		echoes := g.under(h)
		if routerMissing {
			if h.toAccess > 0 {
				for i := range echoes {
					echoes[i] *= silence(i)
				}
			} else {
				prior *= silentRouters
			}
		}
		vu, vd := up, down
		if h.sparesVoice {
			prior *= mean(up, within) * mean(down, within)
			vu, vd = flat(), flat()
		}
		p.add(h, prior, vu, vd, echoes, disturbsPct/100, s.ways())
	}
	return p, p.normalise(s)
}

func (s Streams) lost() (n float64) {
	for _, c := range []Count{s.VoiceUp, s.VoiceDown} {
		if c.Known() {
			n += c.Lost
		}
	}
	for _, e := range []Echo{s.Gateway, s.ToLAN, s.ToAccess, s.ToCollector, s.ToServer} {
		if heard(e) {
			n += e.Lost
		}
	}
	return n
}

// ways is how the two directions may differ.
type ways int

const (
	free     ways = iota
	alikeTwo      // no stream tells the directions apart: half of a round trip's loss is each one's
	together      // see Streams.Together
)

func (s Streams) ways() ways {
	switch {
	case s.Together:
		return together
	case !s.VoiceUp.Known() && !s.VoiceDown.Known():
		return alikeTwo
	}
	return free
}

// negligible is a weight of a pair of rates that need not be added: it is below
// what an odd stream is allowed (see unlikely), of the prior of one point.
const negligible = 1e-12

// add adds a hypothesis, over all rates up and down.
func (p *Posterior) add(h hypothesis, prior float64, vu, vd, echoes table, disturbs float64, ways ways) {
	g := grid()
	for d := range g.prior {
		if ways != free && Direction(d) != Both {
			continue
		}
		for i := range rates {
			for j := range rates {
				w := g.prior[d][i][j] * vu[i] * vd[j]
				if w < negligible {
					continue
				}
				if ways == together {
					w *= prior * math.Sqrt(echoes[i]*echoes[j])
				} else {
					w *= prior * g.roundTrip[i][j].of(&echoes)
				}
				p.up[i] += w
				p.down[j] += w
				p.worst[max(i, j)] += w
				if max(g.rate[i], g.rate[j]) < disturbs {
					continue
				}
				p.place[h.place] += w
				p.direction[h.place][d] += w
			}
		}
	}
}

// normalise makes probabilities of weights, and false where there are none.
func (p *Posterior) normalise(s Streams) bool {
	all, placed := 0.0, 0.0
	for _, w := range p.up {
		all += w
	}
	for _, w := range p.place {
		placed += w
	}
	if !(all > 0) || math.IsInf(all, 0) {
		return false
	}
	for i := range rates {
		p.up[i] /= all
		p.down[i] /= all
		p.worst[i] /= all
	}
	if placed > 0 {
		for i := range p.place {
			p.place[i] /= placed
			for d := range p.direction[i] {
				p.direction[i][d] /= placed
			}
		}
	}
	worse := s.VoiceUp
	if burstFactor(s.VoiceDown) > burstFactor(worse) {
		worse = s.VoiceDown
	}
	p.up, p.down, p.worst = blurred(p.up, s.VoiceUp), blurred(p.down, s.VoiceDown), blurred(p.worst, worse)
	p.Up, p.Down, p.Worst = summary(p.up), summary(p.down), summary(p.worst)
	return true
}

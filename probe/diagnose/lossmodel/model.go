// Package lossmodel estimates packet loss from the counts of several streams.
//
// Each stream crosses some segments of the path: an echo to the next router crosses the
// local network in both directions, an echo to the provider's router also the access
// line, and the voice each segment in one direction. A loss in one segment therefore
// appears in the streams that cross it and in no other. The model compares the counts
// of all streams with each possible place of the loss and each pair of rates, up and
// down, and returns their probabilities (Bayes' theorem on a grid).
//
// It considers three deviations from independent losses:
//
//   - Packets in a burst are lost together, so that a burst is one event. The
//     share lost during the measurement then varies around the rate more than a
//     binomial share does: beta-binomial, with the measured run length as the
//     factor of the variance.
//   - Streams whose packets are sent at the same times are affected by the same
//     bursts. They differ only in their far ends, so that the share lost during the
//     measurement is common to them; the model integrates over it.
//   - Routers limit the rate of their answers (RFC 1812 section 4.3.2.8). A router
//     that omits answers loses packets of its own stream and of none behind it.
//     The model allows for that in each echo, and such a loss counts for no segment.
package lossmodel

import "math"

// Place is where packets get lost.
type Place int

// The places, nearest first. If the path has one far end, Server is everything behind
// the provider's router. If it has two, Transit is what both share, Collector the
// branch to the one and Server the branch to the other. Elsewhere is a loss that
// affects one voice only: at another time, or on another path.
const (
	LAN Place = iota
	Access
	Transit
	Collector
	Server
	Elsewhere
	places
)

// Count is the loss of a stream.
type Count struct {
	Sent, Lost float64
	// RunPackets is the mean number of consecutive lost packets; 0 if not measured.
	RunPackets float64
}

// countsFrom is the minimum number of packets of a stream that is evaluated.
const countsFrom = 8

// Known reports whether the stream can be evaluated.
func (c Count) Known() bool {
	return c.Sent >= countsFrom && c.Sent < 1e9 && c.Lost >= 0 && c.Lost <= c.Sent
}

// Echo is a stream to a point that answers each packet.
type Echo = Count

// heard reports whether an echo can be evaluated: a point that answers nothing is
// silent, not lossy.
func heard(e Echo) bool { return e.Known() && e.Lost < e.Sent }

// Streams contains all counts.
type Streams struct {
	// VoiceUp and VoiceDown are the two directions of the voice.
	VoiceUp, VoiceDown Count
	// ConferenceUp and ConferenceDown are those of the voice to the conference server.
	ConferenceUp, ConferenceDown Count
	// Gateway is network.link's stream to the next router, at a different time.
	Gateway Echo
	// ToLAN to ToServer are network.path's streams, in step: to the next router,
	// the provider's router, the collector and the conference server.
	ToLAN, ToAccess, ToCollector, ToServer Echo
	// PathRunPackets is how many packets of the path's streams were lost at a
	// time, all streams together; 0 where that was not measured.
	PathRunPackets float64
	// Known is the place if it is known from more than counts; otherwise nil.
	Known *Place
	// Supposed is the place according to another method; nil without one.
	Supposed *Place
	// Together means that both directions lost at the same times, as during an
	// interruption: an echo is then lost once.
	Together bool
}

// Direction is the direction of a loss.
type Direction int

// The directions.
const (
	Both Direction = iota
	Up
	Down
	directions
)

// Rate is an estimate of a share of packets in percent: the posterior mean and its
// equal-tailed 95 % interval.
type Rate struct{ Pct, LowPct, HighPct float64 }

// Posterior is the joint result of the streams.
type Posterior struct {
	// Up and Down are the loss on the whole path.
	Up, Down Rate
	// Worst is the loss of the direction that loses more.
	Worst Rate
	// place and direction assume that the loss disturbs.
	place     [places]float64
	direction [places][directions]float64
	up, down  table
	worst     table
}

// At returns the probability that the loss is in p, given that there is a disturbing
// loss.
func (p Posterior) At(place Place) float64 { return p.place[place] }

// Goes returns the probability that a loss in place has this direction.
func (p Posterior) Goes(place Place, d Direction) float64 {
	if p.place[place] == 0 {
		return 0
	}
	return p.direction[place][d] / p.place[place]
}

// UpAbove returns the probability that more than pct percent are lost upstream.
func (p Posterior) UpAbove(pct float64) float64 { return above(p.up, pct) }

// WorstAbove is the same for the worse direction.
func (p Posterior) WorstAbove(pct float64) float64 { return above(p.worst, pct) }

// DownAbove is the same for downstream.
func (p Posterior) DownAbove(pct float64) float64 { return above(p.down, pct) }

// Estimate weighs all hypotheses. disturbsPct is the loss in percent from which it is
// disturbing: place and direction refer to such a loss. ok is false if nothing was
// counted or lost.
func Estimate(s Streams, disturbsPct float64) (p Posterior, ok bool) {
	if s.lost() == 0 {
		return p, false
	}
	g := newGroup(s)
	up, down := direct(s.VoiceUp), direct(s.VoiceDown)
	conferenceUp, conferenceDown := direct(asEvents(s.ConferenceUp)), direct(asEvents(s.ConferenceDown))
	within := grid().background
	routerMissing := heard(s.ToLAN) && !heard(s.ToAccess) && (heard(s.ToCollector) || heard(s.ToServer))
	for _, h := range hypotheses(s) {
		prior := h.prior * weightOf(h, s)
		if prior == 0 {
			continue
		}
		echoes := g.given(h)
		if routerMissing {
			if h.toAccess > 0 {
				for i := range echoes {
					echoes[i] *= routerSilence(i)
				}
			} else {
				prior *= silentRouters
			}
		}
		vu, vd := up, down
		if h.bypassesVoice {
			prior *= mean(up, within) * mean(down, within)
			vu, vd = flat(), flat()
		}
		if h.bypassesConference {
			prior *= mean(conferenceUp, within) * mean(conferenceDown, within)
		} else {
			vu, vd = product(vu, conferenceUp), product(vd, conferenceDown)
		}
		p.add(h, prior, vu, vd, echoes, disturbsPct/100, s.relation())
	}
	return p, p.normalise(s)
}

func (s Streams) lost() (n float64) {
	for _, c := range []Count{s.VoiceUp, s.VoiceDown, s.ConferenceUp, s.ConferenceDown} {
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

// hasConference reports whether the voice to the conference server was counted.
func (s Streams) hasConference() bool { return s.ConferenceUp.Known() || s.ConferenceDown.Known() }

// relation is how the two directions are related.
type relation int

const (
	free      relation = iota
	symmetric          // no stream distinguishes the directions: each has half of the round-trip loss
	together           // see Streams.Together
)

func (s Streams) relation() relation {
	switch {
	case s.Together:
		return together
	case !s.VoiceUp.Known() && !s.VoiceDown.Known() && !s.hasConference():
		return symmetric
	}
	return free
}

// negligible is the weight below which a pair of rates is ignored: less than the weight
// of an outlier (see unlikely) times the prior of one point.
const negligible = 1e-12

// add adds a hypothesis for all rates up and down.
func (p *Posterior) add(h hypothesis, prior float64, vu, vd, echoes table, disturbs float64, rel relation) {
	g := grid()
	for d := range g.prior {
		if rel != free && Direction(d) != Both {
			continue
		}
		for i := range rates {
			for j := range rates {
				w := g.prior[d][i][j] * vu[i] * vd[j]
				if w < negligible {
					continue
				}
				if rel == together {
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

// normalise converts weights to probabilities; it returns false if there are none.
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
	p.up, p.down, p.worst = overTime(p.up, s.VoiceUp), overTime(p.down, s.VoiceDown), overTime(p.worst, worse)
	p.Up, p.Down, p.Worst = summary(p.up), summary(p.down), summary(p.worst)
	return true
}

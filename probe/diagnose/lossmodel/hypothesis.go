package lossmodel

import "math"

// hypothesis is one explanation of the counts.
type hypothesis struct {
	// place is the segment that loses; where two do, the nearer one, which is to be
	// mended first.
	place Place
	prior float64
	// two says that the segment behind it loses as much.
	two bool
	// sparesVoice is true where the voice does not pass the segment.
	sparesVoice bool
	// toLAN to toServer are the part of the loss that an echo to each point meets:
	// none, all, or half of it where two segments lose alike.
	toLAN, toAccess, toCollector, toServer float64
}

// hypotheses are weighed by how common each is: home networks and lines lose more
// often than data centres, and one segment more often than two at a time. The
// figures are our own choice. They decide only where the counts do not: a segment
// that one more stream of a hundred packets crosses than another is told apart by
// factors of thousands at a loss of 5 %.
func hypotheses(s Streams) []hypothesis {
	all := []hypothesis{
		{place: LAN, prior: 0.35, toLAN: 1, toAccess: 1, toCollector: 1, toServer: 1},
		{place: LAN, prior: 0.03, two: true, toLAN: 0.5, toAccess: 1, toCollector: 1, toServer: 1},
		{place: Access, prior: 0.40, toAccess: 1, toCollector: 1, toServer: 1},
		{place: Elsewhere, prior: 0.02},
	}
	if !heard(s.ToCollector) || !heard(s.ToServer) {
		return append(all,
			hypothesis{place: Access, prior: 0.03, two: true, toAccess: 0.5, toCollector: 1, toServer: 1},
			hypothesis{place: Server, prior: 0.18, toCollector: 1, toServer: 1},
		)
	}
	return append(all,
		hypothesis{place: Transit, prior: 0.06, toCollector: 1, toServer: 1},
		hypothesis{place: Collector, prior: 0.08, toCollector: 1},
		hypothesis{place: Server, prior: 0.12, toServer: 1, sparesVoice: true},
	)
}

// Shares of routers and servers that leave answers out, by what is asked of them.
const (
	gatewayLimits   = 0.03
	routerLimits    = 0.10
	complaintLimits = 0.30 // a router made to complain, as the few packets show
	serverLimits    = 0.01
	complaintsBelow = 20
)

// A provider's router that was not found keeps silent by its nature, or each of
// the questions for it was lost.
const (
	silentRouters   = 0.15
	routerQuestions = 3
)

// silence is how likely it is that the provider's router was not found, at each
// rate of the round trip to it.
func silence(i int) float64 {
	return silentRouters + (1-silentRouters)*math.Pow(rate(i), routerQuestions)
}

// supposedWeight is how much another judgement of the path is believed where its
// counts are not there.
const supposedWeight = 50

// weightOf is what is known beside the counts.
func weightOf(h hypothesis, s Streams) float64 {
	only := func(p Place) bool { return !h.two && h.place == p }
	switch {
	case s.Known != nil && !only(*s.Known):
		return 0
	case s.Supposed != nil && only(*s.Supposed):
		return supposedWeight
	}
	return 1
}

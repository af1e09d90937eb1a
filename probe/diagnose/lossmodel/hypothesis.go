package lossmodel

import "math"

// hypothesis is one explanation of the counts.
type hypothesis struct {
	// place is the segment that loses. If two do, it is the nearer one, which must be
	// repaired first.
	place Place
	prior float64
	// two means that the segment behind it loses as much.
	two bool
	// bypassesVoice means that the voice does not cross the segment, bypassesConference
	// that the voice to the conference server does not.
	bypassesVoice, bypassesConference bool
	// toLAN to toServer are the part of the loss that affects an echo to each point:
	// none, all, or half if two segments lose the same.
	toLAN, toAccess, toCollector, toServer float64
}

// hypotheses returns the possible explanations with their priors: home networks and
// access lines lose packets more often than data centres, and one segment more often
// than two at a time. The figures are our own choice. They decide only if the counts do
// not: at a loss of 5 %, a hundred packets more or less through a segment change its
// odds by factors of thousands.
func hypotheses(s Streams) []hypothesis {
	all := []hypothesis{
		{place: LAN, prior: 0.35, toLAN: 1, toAccess: 1, toCollector: 1, toServer: 1},
		{place: LAN, prior: 0.03, two: true, toLAN: 0.5, toAccess: 1, toCollector: 1, toServer: 1},
		{place: Access, prior: 0.40, toAccess: 1, toCollector: 1, toServer: 1},
		{place: Elsewhere, prior: 0.02},
	}
	if s.hasConference() {
		all = append(all,
			hypothesis{place: Elsewhere, prior: 0.02, bypassesConference: true},
			hypothesis{place: Elsewhere, prior: 0.02, bypassesVoice: true},
		)
	}
	if !heard(s.ToCollector) || !heard(s.ToServer) {
		return append(all,
			hypothesis{place: Access, prior: 0.03, two: true, toAccess: 0.5, toCollector: 1, toServer: 1},
			hypothesis{place: Server, prior: 0.18, toCollector: 1, toServer: 1},
		)
	}
	return append(all,
		hypothesis{place: Transit, prior: 0.06, toCollector: 1, toServer: 1},
		hypothesis{place: Collector, prior: 0.08, toCollector: 1, bypassesConference: true},
		hypothesis{place: Server, prior: 0.12, toServer: 1, bypassesVoice: true},
	)
}

// Priors of routers and servers that omit responses, by the kind of request.
const (
	gatewayLimits = 0.03
	routerLimits  = 0.10
	errorLimits   = 0.30 // a router that answers with ICMP errors, recognised by few packets (see errorsBelow)
	serverLimits  = 0.01
	errorsBelow   = 20
)

// If the provider's router was not found, either it never responds, or all requests to
// find it were lost.
const (
	silentRouters   = 0.15
	routerQuestions = 3
)

// routerSilence returns the probability that the provider's router was not found, at
// rate i of the round trip to it.
func routerSilence(i int) float64 {
	return silentRouters + (1-silentRouters)*math.Pow(rate(i), routerQuestions)
}

// supposedWeight is the weight of the place according to another method
// (Streams.Supposed), which is used where there are no counts.
const supposedWeight = 50

// weightOf returns the weight of h by what is known from more than counts.
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

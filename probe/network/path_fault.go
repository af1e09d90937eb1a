package network

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/media/stats"
)

// Names of the segments and of the fault, as NetworkPath has them.
const (
	segmentLAN     = "lan"
	segmentAccess  = "access"
	segmentTransit = "transit"
	segmentServer  = "server"
	noFault        = "none"
	cannotTell     = ""
)

const (
	// fewPackets is how many a stream needs before it counts.
	fewPackets = 8
	// lostAtLeast and badFromPct make a stream bad: three lost of ten, six of
	// a hundred. On a line that loses 1 % by nature that comes about once in
	// 1,900 times.
	lostAtLeast = 3
	badFromPct  = 2.5
	// chance is how likely a difference may be by chance to be called one.
	chance = 0.05
	// rareChance is for what would take a router's word away: that it loses more
	// than all behind it, as one does that limits its answers.
	rareChance = 0.01
	// keptPct of the packets may fail to leave this computer; beyond that its
	// interface was away, and what got lost meanwhile says nothing of the line.
	keptPct = 10
)

// counted says whether the stream can be judged: a point that answers nothing
// at all is silent, not lossy.
func (s *stream) counted() bool {
	return s != nil && s.sent >= fewPackets && s.answered() > 0 && s.keptLittle()
}

func (s *stream) keptLittle() bool { return s.kept*100 <= keptPct*(s.sent+s.kept) }

func (s *stream) isBad() bool {
	return s.counted() && s.lost() >= lostAtLeast && stats.Wilson95(s.lost(), s.sent).LowPct > badFromPct
}

func (s *stream) isFine() bool { return s.counted() && !s.isBad() }

// fewerLostThan says whether s lost a smaller share than t beyond chance. Where
// both sent at the same times, those times decide at which only one of the two
// lost its packet: what took both, a burst on the way they share, tells nothing.
func (s *stream) fewerLostThan(t *stream) bool { return s.alikeWith(t) < chance }

// alikeWith is the chance that s loses so little beside t if both lose alike.
func (s *stream) alikeWith(t *stream) float64 {
	if only, onlyT, both := s.compare(t); both >= fewPackets {
		return signTest(only, onlyT)
	}
	return fisher(s.sent, s.lost(), t.sent, t.lost())
}

// compare counts the times at which only s lost, and only t, out of those at
// which both sent.
func (s *stream) compare(t *stream) (onlyS, onlyT, both int) {
	for due, answered := range s.fates {
		other, ok := t.fates[due]
		if !ok {
			continue
		}
		both++
		switch {
		case !answered && other:
			onlyS++
		case answered && !other:
			onlyT++
		}
	}
	return onlyS, onlyT, both
}

// signTest is the chance that of all the times at which only one lost, so few
// fall to the first, if both lose alike (McNemar 1947, exact).
func signTest(few, many int) (p float64) {
	n := few + many
	for k := range few + 1 {
		p += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return p
}

// fisher is the chance that so few of all the lost packets are among the first,
// if both lose alike (Fisher's exact test, 1935).
func fisher(sent, lost, sentOther, lostOther int) (p float64) {
	total, all := sent+sentOther, lost+lostOther
	for k := max(0, all-sentOther); k <= lost; k++ {
		p += math.Exp(logChoose(sent, k) + logChoose(sentOther, all-k) - logChoose(total, all))
	}
	return p
}

func logChoose(n, k int) float64 {
	f := func(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	return f(n) - f(k) - f(n-k)
}

// placeFault says in which segment packets get lost, from streams that ran at
// the same time to the next router, the provider's first public router, the
// collector and the conference server. A stream that was not there is nil.
//
// A router's loss counts only if everything behind it shows it too: routers
// answer only so many packets a second. The collector alone being bad is our
// own trouble, and never the participant's.
func placeFault(lan, access, transit, server *stream) string {
	switch {
	case !transit.counted() && !server.counted():
		return cannotTell
	case !transit.isBad() && !server.isBad():
		return noFault
	case server.isBad() && transit.isFine() && transit.fewerLostThan(server):
		return segmentServer
	case server.isFine() || transit.isFine():
		return cannotTell
	}
	return placeBefore(lan, access, ends{transit, server})
}

// ends are the streams to the far ends of the path; one of them may be missing.
type ends [2]*stream

func (e ends) counted() (all []*stream) {
	for _, s := range e {
		if s.counted() {
			all = append(all, s)
		}
	}
	return all
}

// lossPct is what all that was sent to the ends lost.
func (e ends) lossPct() float64 {
	sum := &stream{}
	for _, s := range e.counted() {
		sum.sent += s.sent
		sum.rtts = append(sum.rtts, s.rtts...)
	}
	return sum.lossPct()
}

// share is how the loss of a router's stream compares with that of the ends.
type share int

const (
	untold  share = iota // silent, too few packets, or more lost than behind it
	smaller              // most of the loss comes about behind this router
	same                 // at least half of the loss is there at this router
)

func (e ends) shareOf(s *stream) share {
	if !s.counted() {
		return untold
	}
	// Who leaves answers out loses more than each of the ends behind it. That one
	// of two ends was lucky is no such sign.
	fewer, more := true, true
	for _, end := range e.counted() {
		fewer = fewer && s.fewerLostThan(end)
		more = more && end.alikeWith(s) < rareChance
	}
	half := s.lossPct() >= e.lossPct()/2
	switch {
	case more:
		return untold
	case s.isBad() && half:
		return same
	case fewer && !half:
		return smaller
	}
	return untold
}

// placeBefore places a loss that every measured end shows.
func placeBefore(lan, access *stream, e ends) string {
	atLAN, atAccess := e.shareOf(lan), e.shareOf(access)
	switch {
	case atLAN == untold, atLAN == same && atAccess == smaller:
		return cannotTell
	case atLAN == same:
		return segmentLAN
	case atAccess == same:
		return segmentAccess
	case len(e.counted()) < 2 && atAccess == smaller:
		return segmentServer // the one server, or the way to it behind the provider
	case len(e.counted()) < 2:
		return cannotTell
	case atAccess == smaller:
		return segmentTransit
	}
	// The router of the provider does not tell, as many do; what two servers
	// have in common is the access line.
	return segmentAccess
}

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
	// lostAtLeast and badFromPct make a stream bad: three lost of ten, four of
	// fifty. On a line that loses 1 % by nature that comes about once in 600 times.
	lostAtLeast = 3
	badFromPct  = 2.5
	// chance is how likely a difference may be by chance to be called one.
	chance = 0.05
)

// counted says whether the stream can be judged: a point that answers nothing
// at all is silent, not lossy.
func (s *stream) counted() bool { return s != nil && s.sent >= fewPackets && s.answered() > 0 }

func (s *stream) isBad() bool {
	return s.counted() && s.lost() >= lostAtLeast && stats.Wilson95(s.lost(), s.sent).LowPct > badFromPct
}

func (s *stream) isFine() bool { return s.counted() && !s.isBad() }

// fewerLostThan says whether s lost a smaller share than t beyond chance, by
// Fisher's exact test: how likely so few of all the lost packets are in s.
func (s *stream) fewerLostThan(t *stream) bool {
	total, lost := s.sent+t.sent, s.lost()+t.lost()
	p := 0.0
	for k := max(0, lost-t.sent); k <= s.lost(); k++ {
		p += math.Exp(logChoose(s.sent, k) + logChoose(t.sent, lost-k) - logChoose(total, lost))
	}
	return p < chance
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
	return placeBefore(lan, access, pooled(transit, server), transit.counted() && server.counted())
}

// pooled is all that was sent to the ends of the path.
func pooled(ends ...*stream) *stream {
	all := &stream{}
	for _, s := range ends {
		if s.counted() {
			all.sent += s.sent
			all.rtts = append(all.rtts, s.rtts...)
		}
	}
	return all
}

// share is how the loss of a router's stream compares with that of the ends.
type share int

const (
	untold  share = iota // silent, too few packets, or more lost than behind it
	smaller              // the loss comes about behind this router
	same                 // and large enough to be there at all
)

func shareOf(s, ends *stream) share {
	switch {
	case !s.counted():
		return untold
	case s.fewerLostThan(ends):
		return smaller
	case ends.fewerLostThan(s), !s.isBad():
		return untold
	}
	return same
}

// placeBefore places a loss that every measured end shows.
func placeBefore(lan, access, ends *stream, twoEnds bool) string {
	atLAN, atAccess := shareOf(lan, ends), shareOf(access, ends)
	switch {
	case atLAN == untold, atLAN == same && atAccess == smaller:
		return cannotTell
	case atLAN == same:
		return segmentLAN
	case atAccess == same:
		return segmentAccess
	case !twoEnds:
		return cannotTell // the one server, or the way to it
	case atAccess == smaller:
		return segmentTransit
	}
	// The router of the provider does not tell, as many do; what two servers
	// have in common is the access line.
	return segmentAccess
}

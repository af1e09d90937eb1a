package path

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
)

// Names of the segments and of the fault, as in NetworkPath.
const (
	segmentLAN     = "lan"
	segmentAccess  = "access"
	segmentTransit = "transit"
	segmentServer  = "server"
	noFault        = "none"
	cannotTell     = ""
)

const (
	// lostAtLeast and badFromPct define a bad stream: three lost of ten, six of a hundred. On a
	// line with 1 % loss this occurs once in 1,900 times.
	lostAtLeast = 3
	badFromPct  = 2.5
)

// How probable a segment must be before it is named. A server requires more, because it has
// another operator: a provider's router that lost fewer packets by chance must not incriminate it.
const (
	placedFrom       = 0.9
	placedServerFrom = 0.95
)

func isBad(s *periodic.Stream) bool {
	return s.Counted() && s.Lost() >= lostAtLeast && stats.Wilson95(s.Lost(), s.Sent).LowPct > badFromPct
}

func isFine(s *periodic.Stream) bool { return s.Counted() && !isBad(s) }

// count returns the stream for the loss model.
func count(s *periodic.Stream) lossmodel.Count {
	if !s.Counted() {
		return lossmodel.Count{}
	}
	return lossmodel.Count{Sent: float64(s.Sent), Lost: float64(s.Lost())}
}

// locateFault determines the segment of the loss from concurrent streams to the next router, the
// provider's first public router, the collector and the conference server. An absent stream is nil.
// Loss toward the collector alone is our own fault, never the participant's.
func locateFault(lan, access, transit, server *periodic.Stream) string {
	switch {
	case !transit.Counted() && !server.Counted():
		return cannotTell
	case !isBad(transit) && !isBad(server):
		return noFault
	case isBad(transit) && isFine(server):
		return cannotTell
	}
	streams := lossmodel.Streams{ToLAN: count(lan), ToAccess: count(access), ToCollector: count(transit), ToServer: count(server)}
	if run := lossRunPackets(lan, access, transit, server); run != nil {
		streams.PathRunPackets = *run
	}
	found, ok := lossmodel.Estimate(streams, badFromPct)
	switch {
	case !ok:
		return cannotTell
	case found.At(lossmodel.Server) >= placedServerFrom:
		return segmentServer
	case isFine(transit):
		return cannotTell // there is no proved loss common to both ends
	case found.At(lossmodel.LAN) >= placedFrom:
		return segmentLAN
	case found.At(lossmodel.Access)+found.At(lossmodel.Transit) < placedFrom:
		return cannotTell
	case found.At(lossmodel.Transit) > found.At(lossmodel.Access):
		return segmentTransit
	}
	// The provider's router may not answer, as is common; the common part of the paths to two
	// servers is the access line.
	return segmentAccess
}

// lossRunPackets returns how many packets of the path's streams were lost at a time. A second far
// end is hit by the same bursts as the first.
func lossRunPackets(lan, access, transit, server *periodic.Stream) *float64 {
	end := transit
	if !end.Counted() {
		end = server
	}
	return periodic.LostTogether(end, lan, access, transit, server)
}

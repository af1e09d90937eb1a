package network

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/media/stats"
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
	// fewPackets is the minimum number of packets of a stream.
	fewPackets = 8
	// lostAtLeast and badFromPct define a bad stream: three lost of ten, six of a hundred. On a
	// line with 1 % loss this occurs once in 1,900 times.
	lostAtLeast = 3
	badFromPct  = 2.5
	// keptPct is the share of packets that may fail to leave this computer; above it the interface
	// was away, and the loss says nothing about the line.
	keptPct = 10
)

// How probable a segment must be before it is named. A server requires more: it belongs to somebody
// else, and a provider's router that lost fewer packets by chance must not incriminate it.
const (
	placedFrom       = 0.9
	placedServerFrom = 0.95
)

// counted reports whether the stream can be evaluated: a point that never answers is silent, not lossy.
func (s *stream) counted() bool {
	return s != nil && s.sent >= fewPackets && s.answered() > 0 && s.keptLittle()
}

func (s *stream) keptLittle() bool { return s.kept*100 <= keptPct*(s.sent+s.kept) }

func (s *stream) isBad() bool {
	return s.counted() && s.lost() >= lostAtLeast && stats.Wilson95(s.lost(), s.sent).LowPct > badFromPct
}

func (s *stream) isFine() bool { return s.counted() && !s.isBad() }

// count returns the stream for the loss model.
func (s *stream) count() lossmodel.Count {
	if !s.counted() {
		return lossmodel.Count{}
	}
	return lossmodel.Count{Sent: float64(s.sent), Lost: float64(s.lost())}
}

// runs returns the mean number of packets lost in a row; nil without loss.
func (s *stream) runs() *float64 { return lostAtATime(s, s) }

// lostAtATime returns how many packets of the streams were lost at a time; nil if end, one of them,
// lost none.
func lostAtATime(end *stream, streams ...*stream) *float64 {
	if end == nil {
		return nil
	}
	var fates []map[time.Duration]bool
	for _, s := range streams {
		if s != nil {
			fates = append(fates, s.fates)
		}
	}
	if n := lossmodel.LostAtATime(fates, end.fates); n > 0 {
		return &n
	}
	return nil
}

// placeFault determines the segment of the loss from concurrent streams to the next router, the
// provider's first public router, the collector and the conference server. An absent stream is nil.
// Loss toward the collector alone is our own fault, never the participant's.
func placeFault(lan, access, transit, server *stream) string {
	switch {
	case !transit.counted() && !server.counted():
		return cannotTell
	case !transit.isBad() && !server.isBad():
		return noFault
	case transit.isBad() && server.isFine():
		return cannotTell
	}
	streams := lossmodel.Streams{ToLAN: lan.count(), ToAccess: access.count(), ToCollector: transit.count(), ToServer: server.count()}
	if run := lossRunPackets(lan, access, transit, server); run != nil {
		streams.PathRunPackets = *run
	}
	found, ok := lossmodel.Estimate(streams, badFromPct)
	switch {
	case !ok:
		return cannotTell
	case found.At(lossmodel.Server) >= placedServerFrom:
		return segmentServer
	case transit.isFine():
		return cannotTell // there is no proved loss common to both ends
	case found.At(lossmodel.LAN) >= placedFrom:
		return segmentLAN
	case found.At(lossmodel.Access)+found.At(lossmodel.Transit) < placedFrom:
		return cannotTell
	case found.At(lossmodel.Transit) > found.At(lossmodel.Access):
		return segmentTransit
	}
	// The provider's router may not answer, as is common; the common part of the ways to two
	// servers is the access line.
	return segmentAccess
}

// lossRunPackets returns how many packets of the path's streams were lost at a time. A second far
// end is hit by the same bursts as the first.
func lossRunPackets(lan, access, transit, server *stream) *float64 {
	end := transit
	if !end.counted() {
		end = server
	}
	return lostAtATime(end, lan, access, transit, server)
}

package network

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
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
	// keptPct of the packets may fail to leave this computer; beyond that its
	// interface was away, and what got lost meanwhile says nothing of the line.
	keptPct = 10
)

// How probable a segment must be before it is named. A server needs more: it is
// nobody's line, and a router of the provider that was merely lucky must not
// blame it.
const (
	placedFrom       = 0.9
	placedServerFrom = 0.95
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

// count is the stream for the loss model.
func (s *stream) count() lossmodel.Count {
	if !s.counted() {
		return lossmodel.Count{}
	}
	return lossmodel.Count{Sent: float64(s.sent), Lost: float64(s.lost())}
}

// runs is the mean number of packets lost in a row; nil where none was.
func (s *stream) runs() *float64 { return lostAtATime(s, s) }

// lostAtATime is how many packets of the streams were lost at a time; nil where
// the end, one of them, lost none.
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

// placeFault says in which segment packets get lost, from streams that ran at
// the same time to the next router, the provider's first public router, the
// collector and the conference server. A stream that was not there is nil. The
// collector alone being bad is our own trouble, and never the participant's.
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
		return cannotTell // no loss that both ends share is proven
	case found.At(lossmodel.LAN) >= placedFrom:
		return segmentLAN
	case found.At(lossmodel.Access)+found.At(lossmodel.Transit) < placedFrom:
		return cannotTell
	case found.At(lossmodel.Transit) > found.At(lossmodel.Access):
		return segmentTransit
	}
	// The router of the provider may not tell, as many do; what two servers have in
	// common is the access line.
	return segmentAccess
}

// lossRunPackets is how many packets of the path's streams were lost at a time. A
// second end meets the same bursts as the first.
func lossRunPackets(lan, access, transit, server *stream) *float64 {
	end := transit
	if !end.counted() {
		end = server
	}
	return lostAtATime(end, lan, access, transit, server)
}

package path

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
)

// States of the line, as in NetworkPath.
const (
	lineReached      = "reached"
	lineSilent       = "silent"
	lineRouterSilent = "router_silent"
	lineCut          = "cut"
)

// judgeLine determines whether the line behind the local router works. "Reached" requires any answer
// of a machine outside; a second router at home does not count. "Silent" requires that the own
// router answers well, so that loss on the path to it is not the cause, and that all requests beyond
// it remained without an answer. "Router silent" requires the same of all requests to the router;
// many routers never answer, so this alone proves nothing.
func (f surveyed) judgeLine(streams map[string]*periodic.Stream) string {
	if f.direct {
		return cannotTell // no line is used
	}
	inHouse := false
	for i, hop := range f.trace.hops {
		switch {
		case i == 0 && f.adapter.Gateway.IsValid():
		case isOutside(hop):
			return lineReached
		case hop.IsValid():
			inHouse = true
		}
	}
	if f.trace.noRoute || f.trace.reached && f.far.isKnown() {
		return lineReached
	}
	for _, name := range []string{segmentAccess, segmentTransit, segmentServer} {
		if s := streams[name]; s != nil && (s.Answered() > 0 || probe.IsRefused(s.Err)) {
			return lineReached
		}
	}
	if f.gateway && f.trace.asked && !inHouse && isFine(streams[segmentLAN]) && isUnanswered(streams[segmentTransit]) && isUnanswered(streams[segmentServer]) {
		return lineSilent
	}
	routerAsked := f.adapter.Gateway.IsValid() && f.adapter.Kind != adapter.VPN && f.trace.asked
	if routerAsked && !f.gateway && f.trace.isSilent() && isUnanswered(streams[segmentTransit]) && isUnanswered(streams[segmentServer]) {
		return lineRouterSilent
	}
	return cannotTell
}

// isShared reports whether the path includes a router with an address for carrier-grade NAT; nil if
// none is visible, as is common. In a tunnel such addresses belong to the tunnel.
func (f surveyed) isShared() *bool {
	if f.adapter.Kind == adapter.VPN {
		return nil
	}
	for _, hop := range f.trace.hops {
		switch {
		case carrierGrade.Contains(hop):
			return new(true)
		case isPublic(hop):
			return nil // the routers after the first public one belong to other networks
		}
	}
	return nil
}

// isCut reports whether this computer could not send for a while and has no route now: its
// interface went away.
func isCut(env probe.Env, streams map[string]*periodic.Stream) bool {
	for _, s := range streams {
		if s.Unsent > 0 {
			return adapter.HasNoInterface(env.Net) || adapter.HasNoRoute(env.Net)
		}
	}
	return false
}

// isUnplugged reports whether the cable or the Wi-Fi was lost while the system keeps address and
// route, so that packets are lost.
func (p path) isUnplugged(ctx context.Context, found surveyed) bool {
	if !found.adapter.Local.IsValid() || found.adapter.Unplugged {
		return false
	}
	now, err := p.Toward(ctx, found.far.toward())
	return err == nil && now.Unplugged && now.Local == found.adapter.Local
}

// wasAway reports whether this computer's interface was away for a while: nothing could be sent to
// anybody, not even to the next router. Of a tunnel the result is false, because the cause is
// unknown.
func (f surveyed) wasAway(streams map[string]*periodic.Stream) bool {
	if f.adapter.Kind == adapter.VPN || streams[segmentLAN] == nil && !f.direct {
		return false
	}
	for _, s := range streams {
		if s.SentNearlyAll() || !probe.IsNoRoute(s.Err) {
			return false
		}
	}
	return len(streams) > 0
}

// isUnanswered reports whether the packets of a stream to a far end were sent and none was answered, or
// there is no stream. A packet that waited in vain for the router's ARP answer counts as well.
func isUnanswered(s *periodic.Stream) bool {
	if s == nil {
		return true
	}
	sent := s.Sent
	if probe.IsUnreachable(s.Err) {
		sent += s.Unsent
	}
	return sent >= periodic.FewPackets && s.Answered() == 0
}

// locateFault determines the segment of the loss. Without a router in between, the only segment is
// the local network.
func (f surveyed) locateFault(streams map[string]*periodic.Stream) string {
	transit, server := streams[segmentTransit], streams[segmentServer]
	if f.wasAway(streams) {
		return segmentLAN
	}
	if !f.direct {
		return locateFault(streams[segmentLAN], streams[segmentAccess], transit, server)
	}
	switch {
	case !transit.Counted() && !server.Counted():
		return cannotTell
	case isFine(transit) || isFine(server):
		return noFault
	}
	return segmentLAN
}

// isSilence reports whether a packet was sent and not answered.
func isSilence(err error) bool { return errors.Is(err, echo.ErrSilent) }

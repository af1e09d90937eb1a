package network

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/adapter"
	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// States of the line, as NetworkPath has them.
const (
	lineReached      = "reached"
	lineSilent       = "silent"
	lineRouterSilent = "router_silent"
	lineCut          = "cut"
)

// judgeLine says whether the line behind the own router is alive. Reached needs
// a machine out there that answered in any way; a second router at home is none.
// Silent needs the own router to answer well, so that no loss on the way to it
// swallowed the rest, and every question behind it to have gone out in vain. That
// the router is silent as well needs every question to it, too, to have gone out in
// vain; many routers are set up so, which is why nothing follows from that alone.
func (f surveyed) judgeLine(streams map[string]*stream) string {
	if f.direct {
		return cannotTell // no line is in use
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
	if f.trace.noWay || f.trace.reached && f.far.isKnown() {
		return lineReached
	}
	for _, name := range []string{segmentAccess, segmentTransit, segmentServer} {
		if s := streams[name]; s != nil && (s.answered() > 0 || probe.IsRefused(s.err)) {
			return lineReached
		}
	}
	if f.gateway && f.trace.asked && !inHouse && streams[segmentLAN].isFine() && outInVain(streams[segmentTransit]) && outInVain(streams[segmentServer]) {
		return lineSilent
	}
	routerAsked := f.adapter.Gateway.IsValid() && f.adapter.Kind != adapter.VPN && f.trace.asked
	if routerAsked && !f.gateway && f.trace.isSilent() && outInVain(streams[segmentTransit]) && outInVain(streams[segmentServer]) {
		return lineRouterSilent
	}
	return cannotTell
}

// isShared says that the way leads through a router with an address of those that
// providers give to their own NATs; nil where none shows itself, as most do not.
// In a tunnel they are the tunnel's own: some use that very range.
func (f surveyed) isShared() *bool {
	if f.adapter.Kind == adapter.VPN {
		return nil
	}
	for _, hop := range f.trace.hops {
		switch {
		case carrierGrade.Contains(hop):
			return new(true)
		case isPublic(hop):
			return nil // what comes behind the first public router is somebody else's
		}
	}
	return nil
}

// isCut says that this computer could not send meanwhile, and now has no way out
// at all: its own interface went away.
func isCut(env probe.Env, streams map[string]*stream) bool {
	for _, s := range streams {
		if s.kept > 0 {
			return noInterface(env) || noRoute(env)
		}
	}
	return false
}

// isUnplugged says that the cable was pulled meanwhile, or the Wi-Fi lost, and the
// system left address and route where they are: packets go out to nowhere.
func (p path) isUnplugged(ctx context.Context, found surveyed) bool {
	if !found.adapter.Local.IsValid() || found.adapter.Unplugged {
		return false
	}
	now, err := p.Toward(ctx, found.far.toward())
	return err == nil && now.Unplugged && now.Local == found.adapter.Local
}

// wasAway says that this computer's own interface was away for a while: nothing
// could be sent to anybody, not even to the next router. In a tunnel it is the
// tunnel that was away, wherever the reason lies.
func (f surveyed) wasAway(streams map[string]*stream) bool {
	if f.adapter.Kind == adapter.VPN || streams[segmentLAN] == nil && !f.direct {
		return false
	}
	for _, s := range streams {
		if s.keptLittle() || !probe.IsNoRoute(s.err) {
			return false
		}
	}
	return len(streams) > 0
}

// outInVain says of a stream to a far end, if there is one, that its packets
// went out and none was answered. A packet that waited in vain for the next router
// to answer to its address counts as well.
func outInVain(s *stream) bool {
	if s == nil {
		return true
	}
	sent := s.sent
	if probe.IsUnreachable(s.err) {
		sent += s.kept
	}
	return sent >= fewPackets && s.answered() == 0
}

// placeFault places the loss. Where no router lies in between, the only segment
// is the own network.
func (f surveyed) placeFault(streams map[string]*stream) string {
	transit, server := streams[segmentTransit], streams[segmentServer]
	if f.wasAway(streams) {
		return segmentLAN
	}
	if !f.direct {
		return placeFault(streams[segmentLAN], streams[segmentAccess], transit, server)
	}
	switch {
	case !transit.counted() && !server.counted():
		return cannotTell
	case transit.isFine() || server.isFine():
		return noFault
	}
	return segmentLAN
}

// isSilence says that a packet went out and was not answered.
func isSilence(err error) bool { return errors.Is(err, echo.ErrSilent) }

package diagnose

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Way is one transport path for sound and pictures to a server: directly over UDP or
// TCP, or by a relay over UDP, TCP or TLS. They are independent, because a network may
// block any of them.
type Way struct {
	name  string // of the texts: udp, turn_udp, tcp, turn_tcp, turn_tls
	State WayState
}

// WayState is the result for a transport path.
type WayState string

// The states. Silence counts as blocked only if the same server answers on another
// path.
const (
	WayWorks     WayState = "works"
	WayBlocked   WayState = "blocked"
	WaySilent    WayState = "silent"     // as on every other path
	WayRefused   WayState = "refused"    // by the server: credentials, quota, certificate
	WayNoData    WayState = "no_data"    // a relay was allocated, but no data passed through it
	WayNotTested WayState = "not_tested" // also if it could not be determined
	WayNotThere  WayState = "not_there"  // the server offers none
)

// WaysOf returns the paths of a report, best first; nil if neither "nat" nor "nat.turn"
// is part of it. TCP to the media port, which is tried only if UDP fails, is omitted if
// it was not tried.
func WaysOf(r *report.Report) []Way {
	f := factsOf(r, Profile{})
	if !asked(r, report.ProbeNAT) && !asked(r, report.ProbeNATTURN) {
		return nil
	}
	ways := []Way{{"udp", f.directState()}, {"turn_udp", f.relayState("udp")}}
	if state := f.directTCPState(); state != WayNotTested {
		ways = append(ways, Way{"tcp", state})
	}
	return append(ways, Way{"turn_tcp", f.relayState("tcp")}, Way{"turn_tls", f.relayState("tls")})
}

// Name returns the display name.
func (w Way) Name(lang phrase.Lang) string { return book(lang).T("way." + w.name) }

// StateText returns the state in a word or two.
func (w Way) StateText(lang phrase.Lang) string { return book(lang).T("way_state." + string(w.State)) }

// Tested reports whether anything is known about the path.
func (w Way) Tested() bool { return w.State != WayNotTested }

// directState returns the state of the media port or, without a voice stream, of the
// STUN port.
func (f *facts) directState() WayState {
	switch {
	case f.directUDPClosed():
		return f.closedState()
	case f.voice != nil && isTrue(f.voice.DirectUDP):
		return WayWorks
	case f.nat == nil:
		return WayNotTested
	}
	switch f.nat.UDP {
	case report.ReachOpen:
		return WayWorks
	case report.ReachBlocked:
		return WayBlocked
	case report.ReachServerSilent:
		if f.relayWorks() {
			return WayBlocked
		}
		return WaySilent
	}
	return WayNotTested
}

// directUDPClosed reports that the media port did not answer over UDP.
func (f *facts) directUDPClosed() bool { return f.voice != nil && isFalse(f.voice.DirectUDP) }

func (f *facts) directTCPState() WayState {
	switch {
	case f.voice == nil || f.voice.DirectTCP == nil:
		return WayNotTested
	case *f.voice.DirectTCP:
		return WayWorks
	}
	return f.closedState()
}

// closedState returns the state of a path without an answer: blocked only if the server
// answers on another one.
func (f *facts) closedState() WayState {
	if f.lineReached() || f.relayWorks() {
		return WayBlocked
	}
	return WaySilent
}

func (f *facts) relayState(name string) WayState {
	for _, w := range f.relayWays() {
		if w.name != name {
			continue
		}
		switch {
		case w.works():
			return WayWorks
		case isTrue(w.allocated):
			return WayNoData
		case w.fault != "unreachable":
			return WayRefused
		case f.lineReached() || f.relayWorks():
			return WayBlocked
		}
		return WaySilent
	}
	if f.offersNoRelay() {
		return WayNotThere
	}
	return WayNotTested
}

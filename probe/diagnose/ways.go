package diagnose

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Way is one way on which sound and pictures can reach a server: straight over
// UDP or TCP, or by a relay over UDP, TCP or TLS. They stand beside each other,
// because a network may close any of them and leave the others open.
type Way struct {
	name  string // of the texts: udp, turn_udp, tcp, turn_tcp, turn_tls
	State WayState
}

// WayState is what was found on a way.
type WayState string

// The states. Silence is called blocked only where the same server answers by
// another way.
const (
	WayWorks     WayState = "works"
	WayBlocked   WayState = "blocked"
	WaySilent    WayState = "silent"     // and so is the server by every other way
	WayRefused   WayState = "refused"    // by the server: credentials, quota, certificate
	WayNoData    WayState = "no_data"    // the relay was granted, and nothing came through it
	WayNotTested WayState = "not_tested" // also where it could not be told
	WayNotThere  WayState = "not_there"  // the server offers none
)

// WaysOf returns the ways of a report, the best first; nil where neither the probe
// "nat" nor "nat.turn" is part of it. TCP to the media port itself, which is tried
// only where UDP to it fails, is left out where it was not tried.
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

// Name is the way in plain words.
func (w Way) Name(lang phrase.Lang) string { return book(lang).T("way." + w.name) }

// StateText is what was found, in a word or two.
func (w Way) StateText(lang phrase.Lang) string { return book(lang).T("way_state." + string(w.State)) }

// Tested reports whether anything is known of the way.
func (w Way) Tested() bool { return w.State != WayNotTested }

// directState is what the voice met at the media port or, where no voice was sent,
// what questions met at the STUN port.
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

// directUDPClosed says that the media port did not answer over UDP.
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

// closedState is that of a way without an answer: blocked only where the server
// answers by another.
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

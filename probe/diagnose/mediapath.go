package diagnose

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// MediaPath is one transport path for sound and pictures to a server: directly over UDP
// or TCP, or by a relay over UDP, TCP or TLS. The paths are independent, because a
// network may block any of them.
type MediaPath struct {
	name  string // of the texts: udp, turn_udp, tcp, turn_tcp, turn_tls
	State PathState
}

// PathState is the result for a transport path.
type PathState string

// The states. Silence counts as blocked only if the same server answers on another
// path.
const (
	PathWorks     PathState = "works"
	PathBlocked   PathState = "blocked"
	PathSilent    PathState = "silent"     // as on every other path
	PathRefused   PathState = "refused"    // by the server: credentials, quota, certificate
	PathNoData    PathState = "no_data"    // a relay was allocated, but no data passed through it
	PathNotTested PathState = "not_tested" // also if it could not be determined
	PathNotThere  PathState = "not_there"  // the server offers none
)

// MediaPaths returns the paths of a report, best first; nil if neither "nat" nor "nat.turn"
// is part of it. TCP to the media port, which is tried only if UDP fails, is omitted if
// it was not tried.
func MediaPaths(r *report.Report) []MediaPath {
	f := factsOf(r, Profile{})
	if !asked(r, report.ProbeNAT) && !asked(r, report.ProbeNATTURN) {
		return nil
	}
	paths := []MediaPath{{"udp", f.directState()}, {"turn_udp", f.relayState("udp")}}
	if state := f.directTCPState(); state != PathNotTested {
		paths = append(paths, MediaPath{"tcp", state})
	}
	return append(paths, MediaPath{"turn_tcp", f.relayState("tcp")}, MediaPath{"turn_tls", f.relayState("tls")})
}

// Name returns the display name.
func (p MediaPath) Name(lang phrase.Lang) string { return book(lang).T("media_path." + p.name) }

// StateText returns the state in a word or two.
func (p MediaPath) StateText(lang phrase.Lang) string {
	return book(lang).T("path_state." + string(p.State))
}

// Tested reports whether anything is known about the path.
func (p MediaPath) Tested() bool { return p.State != PathNotTested }

// directState returns the state of the media port or, without a voice stream, of the
// STUN port.
func (f *facts) directState() PathState {
	switch {
	case f.directUDPClosed():
		return f.closedState()
	case f.voice != nil && isTrue(f.voice.DirectUDP):
		return PathWorks
	case f.nat == nil:
		return PathNotTested
	}
	switch f.nat.UDP {
	case report.ReachOpen:
		return PathWorks
	case report.ReachBlocked:
		return PathBlocked
	case report.ReachServerSilent:
		if f.relayWorks() {
			return PathBlocked
		}
		return PathSilent
	}
	return PathNotTested
}

// directUDPClosed reports that the media port did not answer over UDP.
func (f *facts) directUDPClosed() bool { return f.voice != nil && isFalse(f.voice.DirectUDP) }

func (f *facts) directTCPState() PathState {
	switch {
	case f.voice == nil || f.voice.DirectTCP == nil:
		return PathNotTested
	case *f.voice.DirectTCP:
		return PathWorks
	}
	return f.closedState()
}

// closedState returns the state of a path without an answer: blocked only if the server
// answers on another one.
func (f *facts) closedState() PathState {
	if f.lineReached() || f.relayWorks() {
		return PathBlocked
	}
	return PathSilent
}

func (f *facts) relayState(name string) PathState {
	for _, w := range f.relayResults() {
		if w.name != name {
			continue
		}
		switch {
		case w.works():
			return PathWorks
		case isTrue(w.allocated):
			return PathNoData
		case w.fault != "unreachable":
			return PathRefused
		case f.lineReached() || f.relayWorks():
			return PathBlocked
		}
		return PathSilent
	}
	if f.offersNoRelay() {
		return PathNotThere
	}
	return PathNotTested
}

package diagnose

import (
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Way is one way on which sound and pictures can reach a server: straight over
// UDP, or by a relay over UDP, TCP or TLS. The four stand beside each other,
// because a network may close any of them and leave the others open.
type Way struct {
	name  string // of the texts: udp, turn_udp, turn_tcp, turn_tls
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

// WaysOf returns the four ways of a report, always all of them and in the same
// order; nil where neither the probe "nat" nor "nat.turn" is part of it.
func WaysOf(r *report.Report) []Way {
	f := factsOf(r, Profile{})
	if !asked(r, report.ProbeNAT) && !asked(r, report.ProbeNATTURN) {
		return nil
	}
	ways := []Way{{"udp", f.directState()}}
	for _, name := range []string{"udp", "tcp", "tls"} {
		ways = append(ways, Way{"turn_" + name, f.relayState(name)})
	}
	return ways
}

// Name is the way in plain words.
func (w Way) Name(lang phrase.Lang) string { return book(lang).T("way." + w.name) }

// StateText is what was found, in a word or two.
func (w Way) StateText(lang phrase.Lang) string { return book(lang).T("way_state." + string(w.State)) }

// Tested reports whether anything is known of the way.
func (w Way) Tested() bool { return w.State != WayNotTested }

func (f *facts) directState() WayState {
	if f.nat == nil {
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

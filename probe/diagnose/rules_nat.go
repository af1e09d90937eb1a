package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// natDefinitions are the effects of routers on the packets of a conference (RFC 4787).
// Alone they keep nobody from being heard, because a conference server has a public
// address.
func natDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.nat_binding_short", Position: 2800, Severity: report.SeverityWarn, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNATBehavior},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked"}),
			rule:         bindingShort,
		},
		{
			Code: "net.nat_symmetric", Position: 2810, Severity: report.SeverityWarn, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNATBehavior, report.ProbeNATTURN, report.ProbeMediaVoice},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked"}),
			rule:         natSymmetric,
		},
		{
			Code: "net.cgnat", Position: 2820, Severity: report.SeverityInfo, Area: report.AreaProvider, Local: true,
			Needs:        []string{report.ProbeNATBehavior, report.ProbeNetworkPath, report.ProbeNAT},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked"}),
			rule:         sharedAddress,
		},
	}
}

func ofNAT(field string, value any) report.Evidence {
	return observed(report.ProbeNATBehavior, field, value, "")
}

// mappingDepends reports whether the router uses another port for each destination, so
// that the address seen by one server is of no use to other peers.
func (f *facts) mappingDepends() bool {
	return f.behavior != nil && (f.behavior.Mapping == "ADM" || f.behavior.Mapping == "APDM")
}

// natSymmetric matters if neither a path to the server nor a relay was found. If the
// server names no relay at all, see turnRequired.
func natSymmetric(f *facts) *finding {
	if !f.mappingDepends() {
		return nil
	}
	hit := &finding{
		severity: report.SeverityInfo, confidence: stated,
		evidence: []report.Evidence{ofNAT("mapping", f.behavior.Mapping)},
	}
	if f.voice != nil && f.voice.State == report.MediaICEFailed && f.noRelayWorks() {
		hit.severity = report.SeverityWarn
		hit.supporting = append(hit.supporting, ofVoice("state", string(f.voice.State), ""))
	}
	return hit
}

// bindingShort compares the measured lifetime of an idle binding with the usual
// keepalive intervals; the measurement goes beyond the limit
// (check.MinBindingLifetime).
func bindingShort(f *facts) *finding {
	if f.behavior == nil {
		return nil
	}
	s, ok := number(f.behavior.BindingLifetimeS)
	severity, limit, passed := f.NAT.BindingLifetimeS.below(s)
	if !ok || !passed || s < 0 {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(limit, max(s, 1)),
		evidence: []report.Evidence{under(report.ProbeNATBehavior, "binding_lifetime_s", s, "s", limit)},
	}
}

// sharedAddress is derived from this computer's own address, or from that of a router on
// the path. The latter is less certain: a provider may use such addresses for its routers
// without sharing public addresses among customers.
func sharedAddress(f *facts) *finding {
	switch {
	case f.link != nil && isTrue(f.link.VPN): // the tunnel's: some use that very range
	case f.behavior != nil && isTrue(f.behavior.CGNAT):
		return &finding{severity: report.SeverityInfo, confidence: likely, evidence: []report.Evidence{ofNAT("cgnat", true)}}
	case f.path != nil && isTrue(f.path.CGNAT) && f.nat != nil && isTrue(f.nat.Translated):
		return &finding{
			severity: report.SeverityInfo, confidence: suggested,
			evidence:   []report.Evidence{observed(report.ProbeNetworkPath, "cgnat", true, "")},
			supporting: []report.Evidence{observed(report.ProbeNAT, "translated", true, "")},
		}
	}
	return nil
}

// awake returns the collector's report that its reflector answers, as evidence. It
// proves nothing alone: the firewall before the reflector may never have been opened.
func (f *facts) awake(probe string, answeredS *float64) []report.Evidence {
	if s, ok := number(answeredS); ok && s >= 0 && s <= f.NAT.ReflectorAwakeS.Value {
		return []report.Evidence{observed(probe, "server_answered_s", s, "s")}
	}
	return nil
}

// reachable returns the collector's report that its reflector answers and that another
// machine reached it within so many seconds; nil without one. If others reached it and
// it no longer answers, it has failed since.
func (f *facts) reachable(withinS float64) []report.Evidence {
	if f.nat == nil {
		return nil
	}
	word := f.awake(report.ProbeNAT, f.nat.ServerAnsweredS)
	if s, ok := number(f.nat.ServerHeardS); word != nil && ok && s >= 0 && s <= withinS {
		return append(word, observed(report.ProbeNAT, "server_heard_s", s, "s"))
	}
	return nil
}

// onlyWebPasses returns the evidence of a line that permits web pages only: the
// collector's page was received, while its reflector and relay are silent through no
// fault of theirs. Either a proxy delivered the page and the server cannot be reached
// directly, or the collector reports that its reflector answers and is reached by
// others. If no router on the path responded either, as is typical for such networks,
// it is enough that others reached it within a day.
func (f *facts) onlyWebPasses() []report.Evidence {
	if !f.natSilent() || !f.webReached() || f.relayWorks() {
		return nil
	}
	if f.throughProxy() && isFalse(f.web.BesideProxy) {
		return []report.Evidence{ofWeb("beside_proxy", false, "")}
	}
	if f.nobodyHeard() {
		return f.reachable(f.NAT.ReflectorOpenedS.Value)
	}
	return f.reachable(f.NAT.ReflectorHeardS.Value)
}

// nobodyHeard reports that machines behind the local network were probed often enough,
// and none ever responded.
func (f *facts) nobodyHeard() bool {
	if f.lineAlive() || f.path == nil {
		return false
	}
	asked := false
	for _, s := range f.path.Segments {
		sent, ok := count(s.Sent)
		if s.Name == atLAN || !ok {
			continue
		}
		if s.Lost != nil || s.RTTMS != nil {
			return false
		}
		asked = asked || sent >= knownFrom
	}
	return asked
}

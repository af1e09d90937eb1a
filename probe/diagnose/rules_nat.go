package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// natDefinitions are what the routers on the way do to the packets of a
// conference (RFC 4787). Alone it keeps nobody from being heard, for a
// conference server has a public address.
func natDefinitions() []Definition {
	access := []string{"net.offline", "net.captive_portal", "net.udp_blocked"}
	definition := func(code string, s report.Severity, area report.Area, r rule, needs ...string) Definition {
		return Definition{Code: code, Severity: s, Area: area, Needs: needs, SuppressedBy: access, rule: r}
	}
	return []Definition{
		definition("net.nat_binding_short", report.SeverityWarn, report.AreaParticipant, bindingShort, report.ProbeNATBehavior),
		definition("net.nat_symmetric", report.SeverityWarn, report.AreaParticipant, natSymmetric,
			report.ProbeNATBehavior, report.ProbeNATTURN, report.ProbeMediaVoice),
		definition("net.cgnat", report.SeverityInfo, report.AreaProvider, sharedAddress, report.ProbeNATBehavior),
	}
}

func ofNAT(field string, value any) report.Evidence {
	return observed(report.ProbeNATBehavior, field, value, "")
}

// mappingDepends reports whether the router gives another port to each
// destination, so that nobody can be told where to answer.
func (f *facts) mappingDepends() bool {
	return f.behavior != nil && (f.behavior.Mapping == "ADM" || f.behavior.Mapping == "APDM")
}

// natSymmetric matters where neither a way to the server nor a relay was found.
// That the server names no relay at all is the server's: see turnRequired.
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

// bindingShort holds the measured lifetime of an idle binding against what
// keeps one alive; the search goes beyond the limit (check.MinBindingLifetime).
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

func sharedAddress(f *facts) *finding {
	if f.behavior == nil || !isTrue(f.behavior.CGNAT) {
		return nil
	}
	return &finding{severity: report.SeverityInfo, confidence: likely, evidence: []report.Evidence{ofNAT("cgnat", true)}}
}

// onlyWebPasses reports a line that lets out web pages and nothing else: the
// collector's came, and our reflector and its relay are silent for a reason that
// is not theirs. Either no router on the way was heard as well, which a reflector
// that is down would not bring about; or a proxy brought the page and the server
// cannot be reached beside it. That the reflector was heard a while ago decides
// nothing: it may have fallen silent since.
func (f *facts) onlyWebPasses() bool {
	if !f.natSilent() || !f.webReached() || f.relayWorks() {
		return false
	}
	return f.throughProxy() && isFalse(f.web.BesideProxy) || f.nobodyHeard()
}

// nobodyHeard says that machines behind the own network were asked often enough,
// and none of them ever answered.
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

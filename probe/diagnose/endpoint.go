package diagnose

import (
	"cmp"

	"github.com/tonprobe/tonprobe/probe/report"
)

// conferenceChecked reports whether a conference server was checked. If so, network.web
// was measured against it, conf.* refers to it, and what the collector's own servers
// show has separate causes (rules_own.go).
func (f *facts) conferenceChecked() bool { return f.target != "" }

// webEnd returns the server that network.web and the end of network.path were measured
// against: the conference server if one was checked, otherwise the collector.
func (f *facts) webEnd() report.Endpoint {
	if f.conferenceChecked() {
		return report.EndpointConference
	}
	return report.EndpointCollector
}

// endpointOf returns the server that a value was measured against, by the description of
// its field.
func (f *facts) endpointOf(e report.Evidence) report.Endpoint {
	p, _ := report.KnownProbes().Find(e.Probe)
	switch against := p.MeasuredAgainst(e.Field); against {
	case report.AgainstReflector:
		return report.EndpointReflector
	case report.AgainstCollector:
		return report.EndpointCollector
	case report.AgainstConference:
		return report.EndpointConference
	case report.AgainstTarget:
		return f.webEnd()
	case report.AgainstSegment:
		if e.Value == atServer {
			return f.webEnd()
		}
	}
	return report.EndpointNone
}

// withEndpoint sets the server that a finding refers to: that of its first evidence
// unless the rule has set another one.
func (f *facts) withEndpoint(hit finding, d Definition) finding {
	switch {
	case d.Local:
		hit.endpoint = report.EndpointNone
	case len(hit.evidence) > 0:
		hit.endpoint = cmp.Or(hit.endpoint, f.endpointOf(hit.evidence[0]))
	}
	return hit
}

// sameOwner reports whether two endpoints belong to the same operator: the collector
// and its reflector do, the conference server does not. A fault of one explains nothing
// about the other. An unknown endpoint matches any.
func sameOwner(a, b report.Endpoint) bool {
	return a == "" || b == "" || (a == report.EndpointConference) == (b == report.EndpointConference)
}

// segmentsToward returns the segments of network.path that end at a server, nearest
// first. One machine may be the end of all of them.
func segmentsToward(e report.Endpoint) []string {
	if e == report.EndpointConference {
		return []string{atServer, atTransit}
	}
	return []string{atTransit}
}

package diagnose

import (
	"cmp"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// conferenceChecked reports whether the check was made for a conference server of its
// own. Then network.web went there, conf.* speaks of that server, and what the
// collector's own servers show is told by causes of their own (rules_own.go).
func (f *facts) conferenceChecked() bool { return f.target != "" }

// webEnd is the server that network.web, and the end of network.path, measured
// against: the conference server where one was checked, and the collector only
// where none was.
func (f *facts) webEnd() report.Endpoint {
	if f.conferenceChecked() {
		return report.EndpointConference
	}
	return report.EndpointCollector
}

// endpointOf is the server that a value was measured against.
func (f *facts) endpointOf(e report.Evidence) report.Endpoint {
	switch e.Probe {
	case report.ProbeNAT, report.ProbeNATBehavior, report.ProbeNATTURN, report.ProbeMediaVoice:
		return report.EndpointReflector
	case report.ProbeMediaLoad:
		return report.EndpointCollector
	case report.ProbeNetworkWeb:
		if e.Field == "tls_key" || strings.HasPrefix(e.Field, "websocket") {
			return report.EndpointCollector // they refer to the collector in any case
		}
		return f.webEnd()
	case report.ProbeNetworkPath:
		if e.Value == atServer {
			return f.webEnd()
		}
	}
	if strings.HasPrefix(e.Probe, report.ConferenceGroup+".") {
		return report.EndpointConference
	}
	return report.EndpointNone
}

// withEndpoint names the server that a finding speaks of: the one that its first proof
// was measured against, unless its rule says another.
func (f *facts) withEndpoint(hit finding, d Definition) finding {
	switch {
	case d.Local:
		hit.endpoint = report.EndpointNone
	case len(hit.evidence) > 0:
		hit.endpoint = cmp.Or(hit.endpoint, f.endpointOf(hit.evidence[0]))
	}
	return hit
}

// sameOwner reports whether two endpoints belong to the same operator: the collector and
// its reflector do, the conference server does not. A fault of one explains nothing of
// the other. Where one of them is not known they may.
func sameOwner(a, b report.Endpoint) bool {
	return a == "" || b == "" || (a == report.EndpointConference) == (b == report.EndpointConference)
}

// segmentsToward are the segments of network.path at whose end a server stands,
// the nearest to it first. One machine may be all of them.
func segmentsToward(e report.Endpoint) []string {
	if e == report.EndpointConference {
		return []string{atServer, atTransit}
	}
	return []string{atTransit}
}

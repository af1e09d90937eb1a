package diagnose

import (
	"slices"
	"strconv"

	"github.com/tonprobe/tonprobe/probe/report"
)

// portDefinitions are ports that the participant's network blocks.
func portDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.port_blocked", Position: 1000, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkPath, report.ProbeNetworkWeb, report.ProbeMediaVoice, report.ProbeNAT},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.dns_failure"}),
			rule:         portBlocked,
		},
	}
}

// neededPort returns what network.path found about the port in use at the end of a
// segment; nil if it answered, so that it was not examined.
func (f *facts) neededPort(segment, protocol string) *report.PathPort {
	if f.path == nil {
		return nil
	}
	i := slices.IndexFunc(f.path.Ports, func(p report.PathPort) bool {
		return p.Name == segment && p.Protocol == protocol && isTrue(p.Needed) && p.Port != nil
	})
	if i < 0 {
		return nil
	}
	return &f.path.Ports[i]
}

// otherPortAnswers reports whether the same machine answers on another port.
func (f *facts) otherPortAnswers(segment string) bool {
	return slices.ContainsFunc(f.path.Ports, func(p report.PathPort) bool {
		return p.Name == segment && !isTrue(p.Needed) && (p.Answer == "open" || p.Answer == "refused")
	})
}

// portBlocked is a port of the conference server or of the collector that this network
// blocks. The proof is that packets to it do not leave the local network although others
// do, or that a router of the local network or of the provider rejects them; otherwise,
// that the same machine answers on another port. A port that the server refuses, or
// that packets leave for, is not blocked here. If the whole machine is silent, nothing
// is reported.
func portBlocked(f *facts) *finding {
	if f.throughProxy() {
		return nil // no other port needs to be permitted
	}
	if f.conferenceChecked() && (f.web == nil || f.web.TCPMS == nil) {
		if hit := f.portKept(atServer); hit != nil {
			hit.endpoint = report.EndpointConference
			return hit
		}
	}
	if !f.conferenceChecked() && f.web != nil && f.web.TCPMS != nil || f.lineReached() || f.voice != nil && f.voice.State != report.MediaNoSignalling {
		return nil // the collector was reached
	}
	hit := f.portKept(atTransit)
	if hit != nil {
		hit.severity, hit.blind = report.SeverityWarn, true
		hit.endpoint = report.EndpointCollector
	}
	return hit
}

// portKept is the finding of portBlocked for the port in use at the end of a segment.
func (f *facts) portKept(segment string) *finding {
	p := f.neededPort(segment, "tcp")
	if p == nil {
		return nil
	}
	hit := fault(suggested, observed(report.ProbeNetworkPath, "ports", strconv.Itoa(*p.Port), ""))
	if f.rejectsAll(segment) {
		// The whole server is blocked: the number of the port would mislead.
		hit = fault(suggested, observed(report.ProbeNetworkPath, "rejected_by", p.RejectedBy, ""))
	}
	kept := isFalse(p.Left)
	switch {
	case p.Answer == "rejected" && isTrue(p.NoRoute) && kept && !f.lineAlive():
		return nil // a router without a line reports this for every address
	case p.Answer == "rejected" && p.RejectedBy == "provider":
		hit.confidence, hit.area = likely, report.AreaProvider
	case p.Answer == "rejected" && kept:
		hit.confidence = stated
	case p.Answer == "silent" && kept:
		hit.confidence = likely
	case p.Answer == "silent" && p.Left == nil && f.otherPortAnswers(segment) && !f.lineLoses():
	default:
		return nil
	}
	return hit
}

// rejectsAll reports whether every port that was tried at the end of a segment was
// rejected by the same side, the local network or the provider.
func (f *facts) rejectsAll(segment string) bool {
	by := f.path.RejectedBy
	return by != "" && !slices.ContainsFunc(f.path.Ports, func(p report.PathPort) bool {
		return p.Name == segment && p.Protocol == "tcp" && p.RejectedBy != by
	})
}

// udpKept returns evidence that UDP packets do not leave the local network.
func (f *facts) udpKept() []report.Evidence {
	p := f.neededPort(atTransit, "udp")
	if p == nil || !isFalse(p.Left) {
		return nil
	}
	return []report.Evidence{observed(report.ProbeNetworkPath, "ports", "UDP "+strconv.Itoa(*p.Port), "")}
}

// udpLeaves reports that UDP packets to the reflector leave the local network, so that
// they or the answers are blocked elsewhere.
func (f *facts) udpLeaves() bool {
	p := f.neededPort(atTransit, "udp")
	return p != nil && isTrue(p.Left)
}

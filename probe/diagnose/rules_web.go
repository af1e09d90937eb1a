package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// websocketBlocked: another machine than the collector stopped the upgrade, while the
// collector answers without it. If the encryption is not intercepted, that machine may
// be a reverse proxy of ours, and no session is affected.
func websocketBlocked(f *facts) *finding {
	if f.web == nil || !isFalse(f.web.WebSocket) {
		return nil
	}
	hit := disturbance(likely, ofWeb("websocket", false, ""))
	if f.web.WebSocketBy != "" {
		hit.supporting = append(hit.supporting, ofWeb("websocket_by", f.web.WebSocketBy, ""))
	}
	if f.socketBlocked() {
		// The session needs the connection that was prevented.
		hit.worsen(report.SeverityFail)
		hit.supporting = append(hit.supporting, f.conference.evidence()...)
	}
	switch f.web.WebSocketBy {
	case "unknown":
		hit.confidence, hit.area = suggested, report.AreaUnknown
	case "server":
		hit.severity, hit.area = report.SeverityInfo, report.AreaMunicipality
	}
	return hit
}

// ipv6Broken requires that IPv4 to the same server works, which the probe has compared. If
// its site answers over IPv6, a firewall drops the port: mostly the server's, but that of
// this network may also pass ICMPv6 only. Otherwise IPv6 may end anywhere, at the server too.
func ipv6Broken(f *facts) *finding {
	if f.link == nil || !isFalse(f.link.IPv6Reached) {
		return nil
	}
	hit := disturbance(suggested, ofLink("ipv6_reached", false, ""))
	hit.area = report.AreaUnknown
	if isTrue(f.link.IPv6Beyond) {
		hit.severity = report.SeverityInfo
		hit.supporting = append(hit.supporting, ofLink("ipv6_beyond", true, ""))
	}
	return hit
}

package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// offline means that nothing is reached, and at which of three places the path ends: at
// this computer, at the local router, or on the line behind it. Each requires positive
// evidence, which the silence of a server is not. The first evidence selects the texts.
func offline(f *facts) *finding {
	if hit := f.withoutRoute(); hit != nil {
		return hit
	}
	if f.path != nil && f.path.Line == "cut" {
		return fault(likely, observed(report.ProbeNetworkPath, "line", "cut", ""))
	}
	if f.proxyFault() != "" || f.web != nil && isTrue(f.web.ProxyOffered) {
		return nil // a network that has a proxy is silent by design, and so is one whose proxy is down
	}
	if hit := f.routerGone(); hit != nil {
		return hit
	}
	dead, named := f.lineDead()
	if !dead {
		return nil
	}
	hit := fault(suggested, observed(report.ProbeNetworkPath, "line", "silent", ""))
	if named {
		hit.confidence = likely
	}
	hit.area = report.AreaProvider
	return hit
}

// withoutRoute is the system's own report that this computer has no route to the
// internet.
func (f *facts) withoutRoute() *finding {
	if f.lineReached() || f.web != nil && (f.web.TCPMS != nil || f.web.HTTPStatus != nil) {
		return nil
	}
	said := f.web != nil && isFalse(f.web.Online)
	switch {
	case f.link != nil && f.link.Uplink != "":
		hit := fault(stated, ofLink("uplink", f.link.Uplink, ""))
		if said {
			hit.supporting = append(hit.supporting, ofWeb("online", false, ""))
		}
		return hit
	case said && (f.web.Stage == "" || f.web.Stage == "dns"):
		return fault(stated, ofWeb("online", false, ""))
	}
	return nil
}

// routerGone is a router that answers nothing, and nothing behind it answers. Many
// routers ignore requests but forward everything, so it must be confirmed by a silent
// name server, or by a router that does not answer on the link layer (ARP, RFC 826).
func (f *facts) routerGone() *finding {
	if !f.reachedNobody() || f.link != nil && f.link.GatewayState == "answered" {
		return nil
	}
	absent := f.link != nil && f.link.GatewayState == "unreachable"
	silent := f.path != nil && f.path.Line == "router_silent"
	namesFail := f.web != nil && f.web.DNSError == "timeout"
	var hit *finding
	switch {
	case absent:
		hit = fault(likely, ofLink("gateway_state", "unreachable", ""))
		if silent {
			hit.supporting = append(hit.supporting, observed(report.ProbeNetworkPath, "line", "router_silent", ""))
		}
	case silent && namesFail:
		hit = fault(suggested, observed(report.ProbeNetworkPath, "line", "router_silent", ""))
	default:
		return nil
	}
	if namesFail {
		hit.supporting = append(hit.supporting, ofWeb("dns_error", "timeout", ""))
	}
	return hit
}

// lineAlive reports whether anything behind the local router answered: our reflector, a
// router of the provider or a server.
func (f *facts) lineAlive() bool {
	return f.lineReached() || f.path != nil && f.path.Line == "reached"
}

// lineDead reports positive evidence that the line behind the local router is down: that
// router answers, nothing behind it does, and no other probe reached anything. named
// means that a remote machine was addressed; otherwise only the routers on the path
// were silent.
func (f *facts) lineDead() (dead, named bool) {
	if f.path == nil || f.path.Line != "silent" || !f.reachedNobody() {
		return false, false
	}
	for _, s := range f.path.Segments {
		named = named || (s.Name == atTransit || s.Name == atServer) && s.Lost == nil
	}
	return true, named
}

// reachedNobody reports that no probe got an answer from behind the local router.
func (f *facts) reachedNobody() bool {
	if f.lineAlive() {
		return false
	}
	w := f.web
	if w == nil {
		return true
	}
	if f.behindPortal() || w.HTTPStatus != nil {
		return false
	}
	// The name server of a home network is its router: refusing a query, reporting a
	// failure or returning an unusable address is how it reports that its line is down.
	ofRouter := slices.Contains([]string{"refused", "servfail", "false"}, w.DNSError)
	return w.DNSError != "not_found" && (ofRouter || w.TCPMS == nil && !isTrue(w.Online))
}

package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// throughProxy reports whether network.web used a proxy.
func (f *facts) throughProxy() bool {
	return f.web != nil && f.web.Proxy != "" && f.web.Proxy != "none"
}

func (f *facts) proxyFault() string {
	if f.web == nil {
		return ""
	}
	return f.web.ProxyFault
}

// proxyRequired is based on the proxy's own demand (RFC 9110 §15.5.8, RFC 1928 §3), or
// on a network that announces a proxy and permits no direct connection.
func proxyRequired(f *facts) *finding {
	if f.web == nil {
		return nil
	}
	if isTrue(f.web.ProxyOffered) && f.proxyFault() == "" && f.directKept() {
		return fault(likely, ofWeb("proxy_offered", true, ""))
	}
	var hit *finding
	if status, ok := count(f.web.HTTPStatus); ok && status == 407 {
		hit = fault(stated, ofWeb("http_status", status, ""))
	} else if f.proxyFault() == "login" {
		hit = fault(stated, ofWeb("proxy_fault", "login", ""))
	}
	if hit != nil && f.web.Proxy != "" {
		hit.supporting = append(hit.supporting, ofWeb("proxy", f.web.Proxy, ""))
	}
	return hit
}

// directKept reports whether this network may be the one that prevents a direct
// connection. Many networks announce a proxy and permit both. If a machine outside
// answers, packets to the server must demonstrably not leave this network, or names must
// not resolve: otherwise the server may be the one that is silent.
func (f *facts) directKept() bool {
	switch {
	case f.lineReached():
		return false
	case !f.lineAlive(), f.web.Stage == "" && f.web.DNSError != "":
		return true
	}
	end := atTransit
	if f.conferenceChecked() {
		end = atServer
	}
	p := f.neededPort(end, "tcp")
	return p != nil && isFalse(p.Left)
}

// proxyFailed is a proxy, or a script that selects one, that does not work. If the
// server is reached directly, only the proxy is at fault, as with the office's proxy on
// a laptop at home. A proxy that reports that the server does not answer (502, 503,
// 504) may be right, so that alone is no proof.
func proxyFailed(f *facts) *finding {
	kind := f.proxyFault()
	if kind == "" || kind == "login" {
		return nil
	}
	direct := isTrue(f.web.BesideProxy)
	hit := fault(likely, ofWeb("proxy_fault", kind, ""))
	switch {
	case f.webReached():
		// Browsers connect directly in this case as well. It is reported only if
		// there is no other fault, because it explains none.
		if f.voice == nil || f.voice.State != report.MediaComplete {
			return nil
		}
		hit.severity = report.SeverityInfo
		return hit
	case kind == "failing" && !direct:
		hit.confidence, hit.area = suggested, report.AreaUnknown
	case slices.Contains([]string{"silent", "unresolved", "script_gone", "unknown_kind"}, kind) && !direct && !isTrue(f.web.Online):
		hit.confidence = suggested // the line itself may be down
	}
	if direct {
		hit.confidence = stated
		beside := ofWeb("beside_proxy", true, "")
		if slices.Contains([]string{"forbidden", "redirect"}, kind) {
			hit.evidence = append(hit.evidence, beside) // the refusal of the proxy selects the texts
		} else {
			hit.evidence = append([]report.Evidence{beside}, hit.evidence...)
		}
	}
	if status, ok := count(f.web.HTTPStatus); ok {
		hit.supporting = append(hit.supporting, ofWeb("http_status", status, ""))
	}
	return hit
}

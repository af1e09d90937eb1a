package network

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/report"
)

// What is wrong with the proxy, as NetworkWeb.ProxyFault names it. A demand for a
// password over HTTP (407) is no fault of the proxy: HTTPStatus holds it.
const (
	proxyUnresolved  = "unresolved"   // its name has no address
	proxyRefused     = "refused"      // its machine takes no connection
	proxySilent      = "silent"       // no answer, to the connection or to the request
	proxyCertificate = "certificate"  // its own, not the server's
	proxyLogin       = "login"        // SOCKS: user name and password
	proxyForbidden   = "forbidden"    // it does not let this server be reached
	proxyRedirect    = "redirect"     // it sends to a page of its own
	proxyFailing     = "failing"      // it answers that it cannot reach the server
	proxyNone        = "not_a_proxy"  // something else answers at its address
	proxyUnknownKind = "unknown_kind" // of a kind that this program does not speak
	proxyScript      = "script"       // the script that chooses the proxy does not work
	proxyScriptGone  = "script_gone"  // the script's server is not reached
)

// failedBy ends the way at the proxy.
func (j *journey) failedBy(fault string) bool {
	j.data.ProxyFault = fault
	return false
}

// unreachedProxy is the fault of a proxy to which no connection came about.
func (j *journey) unreachedProxy() string {
	switch {
	case j.data.DNSError != "":
		return proxyUnresolved
	case slices.ContainsFunc(j.dialErrs, probe.IsRefused):
		return proxyRefused
	}
	return proxySilent
}

// scriptFault tells a script that was read and does not work from one that was
// not to be had: the first shows that the network answers.
func scriptFault(err error) string {
	if errors.Is(err, proxy.ErrScriptUnreached) {
		return proxyScriptGone
	}
	return proxyScript
}

// proxyTLSFault is the fault of the TLS that an HTTPS proxy speaks itself.
func proxyTLSFault(err error) string {
	switch tlsFault(err) {
	case "":
		return proxySilent
	case "protocol":
		return proxyNone
	}
	return proxyCertificate
}

// proxyExchangeFault is why a CONNECT got no answer in HTTP.
func proxyExchangeFault(err error) string {
	if isTimeout(err) {
		return proxySilent
	}
	return proxyNone
}

// proxyStatusFault reads the answer to a CONNECT. 407 asks for a password, and
// 403 and 451 (RFC 7725) refuse. A proxy that cannot reach the server says 502 or
// 504 (RFC 9110 §15.6), Squid 503; whose fault that is, its answer does not tell.
// What is no proxy does not know the method (400, 404, 405, 501).
func proxyStatusFault(status int) string {
	switch {
	case status == proxyAuthRequired:
		return ""
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		return proxyForbidden
	case status/100 == 3, status == networkAuthenticationRequired:
		return proxyRedirect
	case status/100 == 5 && status != http.StatusNotImplemented:
		return proxyFailing
	}
	return proxyNone
}

// socksFault reads the error of golang.org/x/net/proxy, which has the replies of
// RFC 1928 §6 as text only.
func socksFault(err error) string {
	if isTimeout(err) {
		return proxySilent
	}
	has := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case has("authentication"):
		return proxyLogin
	case has("not allowed by ruleset"):
		return proxyForbidden
	case has("general SOCKS server failure"), has("unreachable"), has("connection refused"), has("TTL expired"):
		return proxyFailing
	}
	return proxyNone
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// hasPage says that a page came with the answer to a CONNECT: a web server stands
// in the place of a proxy. A tunnel has no content (RFC 9110 §9.3.6), and nobody
// speaks in it before the client of TLS does.
func (a *answer) hasPage() bool {
	length := a.Header.Get("Content-Length")
	return a.beyondBytes > 0 || length != "" && length != "0"
}

// unmaskPage finds a web server in the place of a proxy that answered a CONNECT
// with 200 and a page: what follows is no TLS.
func (j *journey) unmaskPage() {
	if j.proxy != nil && j.data.Stage == stageTCP && j.data.TLSError == "protocol" {
		j.data.ProxyFault, j.data.TLSError = proxyNone, ""
	}
}

// tryWithoutProxy goes the whole way directly where the one by the proxy failed:
// a laptop that was brought home still has the office's proxy set. A connection
// alone would prove nothing, since a gateway may take it in the server's place.
func (j *journey) tryWithoutProxy(ctx context.Context) {
	failed := j.data.ProxyFault != "" || j.data.HTTPStatus != nil && *j.data.HTTPStatus == proxyAuthRequired
	if slices.Contains(j.ways, nil) || !failed || j.data.Stage == stageHTTP || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	k := &journey{WebConfig: j.WebConfig, env: j.env, data: &report.NetworkWeb{}, target: j.target, began: j.env.Clock.Now(), ways: []*url.URL{nil}}
	defer k.close()
	through := k.reach(ctx) && k.take(ctx, k.encrypt, k.request)
	j.data.BesideProxy = new(through && (j.target.Scheme == "https" || !k.looksLikePortal(k.answer.Response)))
}

package web

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

// Faults of the proxy, as in NetworkWeb.ProxyFault. A request for a password over HTTP (407) is not
// a fault of the proxy; see HTTPStatus.
const (
	proxyUnresolved    = "unresolved"     // its name has no address
	proxyRefused       = "refused"        // its machine refuses connections
	proxySilent        = "silent"         // no answer to the connection or to the request
	proxyCertificate   = "certificate"    // its own, not the server's
	proxyLogin         = "login"          // SOCKS: user name and password
	proxyForbidden     = "forbidden"      // it refuses this connection
	proxyRedirect      = "redirect"       // it redirects to its own page
	proxyFailing       = "failing"        // it reports that it cannot reach the server
	proxyNone          = "not_a_proxy"    // something else answers at its address
	proxyUnknownKind   = "unknown_kind"   // a kind that this program does not support
	proxyScript        = "script"         // the proxy script does not work
	proxyScriptMissing = "script_missing" // its server answers and does not have it
	proxyScriptGone    = "script_gone"    // the server of the proxy script is unreachable
)

// failedBy records a fault of the proxy and returns false, which ends the attempt.
func (j *journey) failedBy(fault string) bool {
	j.data.ProxyFault = fault
	return false
}

// unreachedProxy returns the fault of a proxy without a connection.
func (j *journey) unreachedProxy() string {
	switch {
	case j.data.DNSError != "":
		return proxyUnresolved
	case slices.ContainsFunc(j.dialErrs, probe.IsRefused):
		return proxyRefused
	}
	return proxySilent
}

// scriptFault distinguishes a script that does not work from one that could not be fetched: the
// former shows that the network works.
func scriptFault(err error) string {
	switch {
	case errors.Is(err, proxy.ErrScriptUnreached):
		return proxyScriptGone
	case errors.Is(err, proxy.ErrScriptMissing):
		return proxyScriptMissing
	}
	return proxyScript
}

// proxyTLSFault returns the fault of TLS to an HTTPS proxy.
func proxyTLSFault(err error) string {
	switch tlsFault(err) {
	case "":
		return proxySilent
	case "protocol":
		return proxyNone
	}
	return proxyCertificate
}

// proxyExchangeFault returns why a CONNECT got no HTTP response.
func proxyExchangeFault(err error) string {
	if probe.IsTimeout(err) {
		return proxySilent
	}
	return proxyNone
}

// proxyStatusFault evaluates the response to a CONNECT. 407 requests a password, 403 and 451 (RFC
// 7725) refuse. A proxy that cannot reach the server sends 502 or 504 (RFC 9110 §15.6), Squid 503;
// the cause remains open. A server that is not a proxy does not support the method (400, 404, 405,
// 501).
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

// socksFault parses the error of golang.org/x/net/proxy, which contains the replies of RFC 1928 §6
// as text only.
func socksFault(err error) string {
	if probe.IsTimeout(err) {
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

// hasPage reports whether a page came with the response to a CONNECT: a web server instead of a
// proxy. A tunnel has no content (RFC 9110 §9.3.6), and nothing is sent in it before the TLS
// client.
func (a *answer) hasPage() bool {
	length := a.Header.Get("Content-Length")
	return a.beyondBytes > 0 || length != "" && length != "0"
}

// detectWebServer detects a web server instead of a proxy that responded to a CONNECT with 200 and
// a page, since no TLS follows.
func (j *journey) detectWebServer() {
	if j.proxy != nil && j.data.Stage == stageTCP && j.data.TLSError == "protocol" {
		j.data.ProxyFault, j.data.TLSError = proxyNone, ""
	}
}

// tryWithoutProxy performs all steps with a direct connection after the proxy
// failed: a laptop at home may still have the office's proxy configured. A
// connection alone proves nothing, since a gateway may accept it instead of the
// server.
func (j *journey) tryWithoutProxy(ctx context.Context) {
	failed := j.data.ProxyFault != "" || j.data.HTTPStatus != nil && *j.data.HTTPStatus == proxyAuthRequired
	if slices.Contains(j.proxies, nil) || !failed || j.data.Stage == stageHTTP || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	k := &journey{Config: j.Config, env: j.env, data: &report.NetworkWeb{}, target: j.target, began: j.env.Clock.Now(), proxies: []*url.URL{nil}}
	defer k.close()
	through := k.reach(ctx) && k.take(ctx, k.encrypt, k.request)
	j.data.BesideProxy = new(through && (j.target.Scheme == "https" || !k.looksLikePortal(k.answer.Response)))
}

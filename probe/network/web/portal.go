package web

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// lookForPortal determines whether there is a captive portal. One sign alone may have another
// reason, so two independent ones are required:
//
//	first:  the certificate is not the server's, or, without TLS, the response redirects to another host or is 511,
//	        or, if no encrypted connection was established, an address that is not in use answers
//	second: a page that cannot exist, requested without TLS, redirects to another host or is 511, or exists both at
//	        the server and at an address that is not in use
//
// That the server has every page is not a sign by itself: web applications and default sites of
// shared hosting behave so.
func (j *journey) lookForPortal(ctx context.Context) {
	if j.proxy != nil {
		return // a proxy is in between, and not that of a guest network
	}
	if j.data.Stage == stageHTTP && j.target.Scheme == "https" {
		j.data.CaptivePortal = new(false) // the server authenticated itself
		return
	}
	first := j.data.TLSError == "wrong_name" || j.data.TLSError == "untrusted" || j.data.TLSError == "protocol" ||
		j.answer != nil && j.looksLikePortal(j.answer.Response)
	if !first && j.data.TLSError == "" && j.data.Stage != stageDNS {
		return
	}
	resp := j.plainAnswer(ctx, j.addrs)
	switch {
	case resp == nil:
	case resp.StatusCode == networkAuthenticationRequired:
		j.data.CaptivePortal = new(true) // its only meaning (RFC 6585 §6), together with a failed connection
	case first && j.redirectsElsewhere(resp):
		j.data.CaptivePortal = new(true)
	case (first || j.data.Stage == stageDNS) && j.replacesPage(resp) && j.unusedAddressAnswers(ctx):
		j.data.CaptivePortal = new(true)
	}
}

// unusedAddressAnswers connects to an address for documentation (RFC 5737), which is not in use: an answer
// comes from a middlebox.
func (j *journey) unusedAddressAnswers(ctx context.Context) bool {
	resp := j.plainAnswer(ctx, []netip.Addr{adapter.Anywhere()})
	return resp != nil && j.replacesPage(resp)
}

// looksLikePortal evaluates the sign in one response without TLS.
func (j *journey) looksLikePortal(resp *http.Response) bool {
	return resp.StatusCode == networkAuthenticationRequired || j.redirectsElsewhere(resp)
}

// replacesPage reports whether a response replaces a page that does not exist.
func (j *journey) replacesPage(resp *http.Response) bool {
	return j.looksLikePortal(resp) || resp.StatusCode == http.StatusOK
}

// redirectsElsewhere reports whether a response redirects to a foreign host. Names below the
// server's registered domain are not foreign.
func (j *journey) redirectsElsewhere(resp *http.Response) bool {
	if resp.StatusCode < 300 || resp.StatusCode > 399 {
		return false
	}
	to, err := j.target.Parse(resp.Header.Get("Location"))
	if err != nil || to.Hostname() == "" {
		return false
	}
	return registered(to.Hostname()) != registered(j.target.Hostname())
}

// registered returns the registered domain of a host; an address, or a name without such a domain,
// is returned unchanged.
func registered(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// plainAnswer requests a nonexistent page without TLS from some addresses; nil if nothing answers.
func (j *journey) plainAnswer(ctx context.Context, addrs []netip.Addr) *http.Response {
	var random [8]byte
	if _, err := io.ReadFull(j.env.Rand, random[:]); err != nil || len(addrs) == 0 {
		return nil
	}
	port := j.plainPort
	if j.target.Scheme == "http" {
		port = origin.Port(j.target)
	}
	conn, _, _ := dialAll(ctx, j.env, addrs, port)
	if conn == nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	page := &url.URL{Scheme: "http", Host: j.target.Hostname(), Path: "/" + hex.EncodeToString(random[:])}
	if strings.Contains(page.Host, ":") {
		page.Host = "[" + page.Host + "]"
	}
	a, err := exchange(ctx, j.env.Clock, conn, get(page))
	if err != nil {
		j.env.Log.Debug("no answer without TLS", "err", report.ErrorText(err))
		return nil
	}
	j.data.Online = new(true)
	return a.Response
}

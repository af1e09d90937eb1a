package network

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/tonprobe/tonprobe/probe/report"
)

// lookForPortal says whether a login page stands in between. One sign alone may
// have another reason, so two independent ones are needed.
//
//	first:  the certificate is not the server's, or, without TLS, the answer
//	        leads to another host or says 511, or, where no encrypted connection
//	        came about, somebody answers for an address that nobody has
//	second: a page that cannot exist, asked for without TLS, leads to another
//	        host or says 511, or is there both at the server and at an address
//	        that nobody has
//
// That the server has every page is no sign by itself: it is how web
// applications and default sites of shared hosting answer.
func (j *journey) lookForPortal(ctx context.Context) {
	if j.proxy != nil {
		return // a proxy is in between anyway, and it is none of a guest network's
	}
	if j.data.Stage == stageHTTP && j.target.Scheme == "https" {
		j.data.CaptivePortal = new(false) // the server proved who it is
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
		j.data.CaptivePortal = new(true) // its one meaning (RFC 6585 §6), beside a way that failed
	case first && j.redirectsElsewhere(resp):
		j.data.CaptivePortal = new(true)
	case (first || j.data.Stage == stageDNS) && j.inPlaceOfAPage(resp) && j.nobodyAnswers(ctx):
		j.data.CaptivePortal = new(true)
	}
}

// nobodyAnswers asks at an address kept for documentation (RFC 5737), which nobody
// has: who answers there is in between.
func (j *journey) nobodyAnswers(ctx context.Context) bool {
	resp := j.plainAnswer(ctx, []netip.Addr{anywhere})
	return resp != nil && j.inPlaceOfAPage(resp)
}

// looksLikePortal is the sign in one answer without TLS.
func (j *journey) looksLikePortal(resp *http.Response) bool {
	return resp.StatusCode == networkAuthenticationRequired || j.redirectsElsewhere(resp)
}

// inPlaceOfAPage says whether an answer stands for a page that does not exist.
func (j *journey) inPlaceOfAPage(resp *http.Response) bool {
	return j.looksLikePortal(resp) || resp.StatusCode == http.StatusOK
}

// redirectsElsewhere says whether an answer leads to somebody else's host. A
// server's own names are not: those below the same registered domain.
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

// registered is the domain that somebody registered for a host; an address, and a
// name without such a domain, stands for itself.
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

// plainAnswer asks at some addresses for a page nobody has, without TLS; nil
// when nothing answers.
func (j *journey) plainAnswer(ctx context.Context, addrs []netip.Addr) *http.Response {
	var random [8]byte
	if _, err := io.ReadFull(j.env.Rand, random[:]); err != nil || len(addrs) == 0 {
		return nil
	}
	port := j.plainPort
	if j.target.Scheme == "http" {
		port = portOf(j.target)
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
		j.env.Log.Debug("no plain answer", "err", report.ErrorText(err))
		return nil
	}
	j.data.Online = new(true)
	return a.Response
}

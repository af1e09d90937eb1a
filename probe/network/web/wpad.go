package web

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
)

// maxOfferBytes limits how much of an offered script is read: its function and the proxies come early.
const maxOfferBytes = 64 << 10

// findOfferedProxy checks, if direct connections fail and no proxy is configured, whether
// the network offers one (WPAD over DNS), and sends the result. The script is read
// but never run, because anybody on the network can offer one.
func (j *journey) findOfferedProxy(ctx context.Context) <-chan bool {
	offered := make(chan bool, 1)
	direct := j.data.Proxy == "none"
	failed := j.data.Stage == "" && j.data.DNSError != "" || j.data.Stage == stageDNS
	if !direct || !failed {
		offered <- false
		return offered
	}
	guard.Go(j.env.Log, func() {
		found := false
		defer func() { offered <- found }()
		// Without a dot, so that the system appends the network's search domain.
		addrs, err := j.Resolver.LookupNetIP(ctx, "ip", "wpad")
		found = err == nil && len(addrs) > 0 && !isUnspecified(addrs) && offersProxy(j.offer(ctx, lookup.Alternate(addrs)))
	})
	return offered
}

// offer returns the beginning of the script; "" if there is none.
func (j *journey) offer(ctx context.Context, addrs []netip.Addr) string {
	conn, _, _ := dialAll(ctx, j.env, addrs, j.plainPort)
	if conn == nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req := get(&url.URL{Scheme: "http", Host: "wpad", Path: "/wpad.dat"})
	if err := req.Write(conn); err != nil {
		return ""
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaderBytes+maxOfferBytes)), req.Request)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxOfferBytes)) // the beginning is sufficient
	return string(text)
}

// offersProxy reports whether a script names a proxy.
func offersProxy(script string) bool {
	named := regexp.MustCompile(`\b(PROXY|HTTPS?|SOCKS[45]?)\s+[A-Za-z0-9\[][A-Za-z0-9.:\-\]]*:[0-9]{1,5}\b`)
	return regexp.MustCompile(`\bFindProxyForURL\b`).MatchString(script) && named.MatchString(script)
}

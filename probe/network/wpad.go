package network

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"
)

// maxOfferBytes is how much of an offered script is read: its function and the
// proxies it names come early.
const maxOfferBytes = 64 << 10

// seekProxy asks, where no way leads directly and no proxy is set, whether the
// network offers one (WPAD over DNS), and sends what came of it. The offer is
// read and never run: anybody on the network can make one.
func (j *journey) seekProxy(ctx context.Context) <-chan bool {
	offered := make(chan bool, 1)
	direct := j.data.Proxy == "none"
	failed := j.data.Stage == "" && j.data.DNSError != "" || j.data.Stage == stageDNS
	if !direct || !failed {
		offered <- false
		return offered
	}
	go func() {
		// Without a dot, so that the system adds the network's own domain.
		addrs, err := j.Resolver.LookupNetIP(ctx, "ip", "wpad")
		offered <- err == nil && len(addrs) > 0 && !saysNowhere(addrs) && offersProxy(j.offer(ctx, alternate(addrs)))
	}()
	return offered
}

// offer is the beginning of the script; "" when there is none.
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
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxOfferBytes)) // its beginning will do
	return string(text)
}

// offersProxy says whether a script names a proxy at all.
func offersProxy(script string) bool {
	named := regexp.MustCompile(`\b(PROXY|HTTPS?|SOCKS[45]?)\s+[A-Za-z0-9\[][A-Za-z0-9.:\-\]]*:[0-9]{1,5}\b`)
	return regexp.MustCompile(`\bFindProxyForURL\b`).MatchString(script) && named.MatchString(script)
}

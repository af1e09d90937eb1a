package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// chooseProxy evaluates the proxy configuration. If its script fails, browsers connect directly
// (Chromium and Firefox both, unless a policy makes the script mandatory), and so does this
// journey.
func (j *journey) chooseProxy(ctx context.Context) bool {
	proxies, err := j.Proxies(ctx, j.target)
	if err != nil {
		j.env.Log.Warn("no proxy chosen", "err", report.ErrorText(err))
		j.proxyFault, proxies = scriptFault(err), []*url.URL{nil}
		j.data.ProxyFault = j.proxyFault
	}
	j.proxies = proxies
	return true
}

// reach tries the proxies in order until one accepts the connection.
func (j *journey) reach(ctx context.Context) bool {
	for _, via := range j.proxies {
		if !j.use(via) {
			continue
		}
		if j.within(ctx, j.NameTime, j.lookUp) {
			var err error
			j.connecting, err = j.env.Enter(ctx, PhaseConnect)
			if err == nil && j.take(ctx, j.connect) {
				return j.begins(ctx)
			}
			j.connecting.Leave()
		}
		if ctx.Err() != nil {
			return false
		}
		if via != nil {
			j.proxyFault = j.unreachedProxy()
		}
	}
	j.data.ProxyFault = j.proxyFault
	return false
}

// begins waits for the line budget if the connection took so long that its turn no longer
// counts. If there is no room until the end of the check, nothing is known about the server.
func (j *journey) begins(ctx context.Context) bool {
	if j.connecting.Renew(ctx) != nil {
		j.data.Stage = ""
		return false
	}
	return true
}

// use selects a proxy or the direct connection and discards the results of the
// previous one. It rejects proxies of unknown kinds.
func (j *journey) use(via *url.URL) bool {
	j.proxy, j.addrs, j.dnsErr, j.dialErrs = nil, nil, nil, nil
	j.data.Proxy, j.data.Stage, j.data.DNSError, j.data.DNSMS = "", "", "", nil
	if via == nil {
		j.data.Proxy = "none"
		return true
	}
	switch via.Scheme {
	case "http", "https", "socks5":
		j.data.Proxy = via.Scheme
	case "socks5h":
		j.data.Proxy = "socks5"
	default:
		j.proxyFault = proxyUnknownKind
		return false
	}
	j.proxy = via
	return via.Hostname() != ""
}

func isSOCKS(p *url.URL) bool { return p.Scheme == "socks5" || p.Scheme == "socks5h" }

// throughProxy connects from the proxy to the server.
func (j *journey) throughProxy(ctx context.Context) bool {
	switch {
	case j.proxy == nil:
		return true
	case isSOCKS(j.proxy):
		return j.socks(ctx)
	}
	if j.proxy.Scheme == "https" {
		conn := tls.Client(j.conn, &tls.Config{ServerName: j.proxy.Hostname(), RootCAs: j.RootCAs, NextProtos: []string{"http/1.1"}})
		if err := conn.HandshakeContext(ctx); err != nil {
			return j.failedBy(proxyTLSFault(err))
		}
		j.conn = conn
	}
	if j.target.Scheme == "http" && !j.tunnels {
		return true // the request itself is sent to the proxy
	}
	return j.tunnel(ctx)
}

// tunnel requests a tunnel from the proxy (RFC 9110 §9.3.6).
func (j *journey) tunnel(ctx context.Context) bool {
	to := net.JoinHostPort(j.target.Hostname(), origin.Port(j.target))
	req := get(&url.URL{Opaque: to})
	req.Method, req.Host, req.Close = http.MethodConnect, to, false
	if user := j.proxy.User; user != nil {
		password, _ := user.Password()
		credentials := &http.Request{Header: http.Header{}}
		credentials.SetBasicAuth(user.Username(), password)
		req.Header.Set("Proxy-Authorization", credentials.Header.Get("Authorization"))
	}
	a, err := exchange(ctx, j.env.Clock, j.conn, req)
	if err != nil {
		return j.failedBy(proxyExchangeFault(err))
	}
	if a.StatusCode/100 == 2 { // any of them (RFC 9110 §9.3.6)
		return !a.hasPage() || j.failedBy(proxyNone)
	}
	j.data.HTTPStatus = new(a.StatusCode)
	return j.failedBy(proxyStatusFault(a.StatusCode))
}

// socks requests a connection from a SOCKS5 proxy (RFC 1928), which resolves the name.
func (j *journey) socks(ctx context.Context) bool {
	var auth *proxy.Auth
	if user := j.proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", j.proxy.Host, auth, established{j.conn})
	if err != nil {
		return j.failedBy(proxyUnknownKind)
	}
	conn := j.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	through, err := dialer.Dial("tcp", net.JoinHostPort(j.target.Hostname(), origin.Port(j.target)))
	if err != nil {
		return j.failedBy(socksFault(err))
	}
	j.conn = through
	return true
}

// established is a dialler that returns an existing connection.
type established struct{ net.Conn }

func (e established) Dial(string, string) (net.Conn, error) { return e.Conn, nil }

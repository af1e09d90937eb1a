package network

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// chooseProxy asks the configuration. Without an answer the way ends there:
// nobody knows then how this computer gets anywhere.
func (j *journey) chooseProxy(ctx context.Context) bool {
	ways, err := j.Proxies(ctx, j.target)
	if err != nil {
		j.env.Log.Warn("no proxy chosen", "err", report.ErrorText(err))
		j.why = "the proxy setting does not work"
		return false
	}
	j.ways = ways
	return true
}

// reach tries the ways in their order until one takes the connection.
func (j *journey) reach(ctx context.Context) bool {
	for _, way := range j.ways {
		if !j.goBy(way) {
			continue
		}
		if j.take(ctx, j.lookUp) {
			_ = j.env.Clock.Sleep(ctx, j.ConnectAfter-j.env.Clock.Now().Sub(j.began))
			probe.AwaitTurn(ctx, j.env.Clock, j.After, j.AtMost-j.env.Clock.Now().Sub(j.began))
			if j.take(ctx, j.connect) {
				return true
			}
		}
		if ctx.Err() != nil {
			return false
		}
	}
	return false
}

// goBy sets out on a way, and forgets what became of the one before. It refuses
// a proxy of a kind it does not know.
func (j *journey) goBy(way *url.URL) bool {
	j.proxy, j.addrs, j.dnsErr, j.dialErrs = nil, nil, nil, nil
	j.data.Proxy, j.data.Stage, j.data.DNSError, j.data.DNSMS = "", "", "", nil
	if way == nil {
		j.data.Proxy = "none"
		return true
	}
	switch way.Scheme {
	case "http", "https", "socks5":
		j.data.Proxy = way.Scheme
	case "socks5h":
		j.data.Proxy = "socks5"
	default:
		j.why = "a proxy is set of a kind this program does not know"
		return false
	}
	j.proxy = way
	return way.Hostname() != ""
}

func isSOCKS(p *url.URL) bool { return p.Scheme == "socks5" || p.Scheme == "socks5h" }

// throughProxy gets from the proxy to the server.
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
			return false
		}
		j.conn = conn
	}
	if j.target.Scheme == "http" && !j.tunnels {
		return true // the request itself goes to the proxy
	}
	return j.tunnel(ctx)
}

// tunnel asks the proxy to connect (RFC 9110 §9.3.6).
func (j *journey) tunnel(ctx context.Context) bool {
	to := net.JoinHostPort(j.target.Hostname(), portOf(j.target))
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
		return false
	}
	if a.StatusCode != http.StatusOK {
		j.data.HTTPStatus = new(a.StatusCode)
		return false
	}
	return true
}

// socks asks a SOCKS5 proxy to connect (RFC 1928). It gets the name and looks
// it up itself.
func (j *journey) socks(ctx context.Context) bool {
	var auth *proxy.Auth
	if user := j.proxy.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", j.proxy.Host, auth, established{j.conn})
	if err != nil {
		return false
	}
	conn := j.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	through, err := dialer.Dial("tcp", net.JoinHostPort(j.target.Hostname(), portOf(j.target)))
	if err != nil {
		return false
	}
	j.conn = through
	return true
}

// established is a dialler that hands out a connection there already is.
type established struct{ net.Conn }

func (e established) Dial(string, string) (net.Conn, error) { return e.Conn, nil }

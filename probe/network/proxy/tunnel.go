package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// headStart is the time for a direct connection before a proxy is tried in
// parallel: the 250 ms of RFC 8305 §5 for address families, increased for the round
// trip of a distant line.
const headStart = 300 * time.Millisecond

// maxTunnelHeader limits a proxy's response.
const maxTunnelHeader = 64 << 10

// StatusError means that a proxy refused to open a tunnel.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("the proxy answers %d", e.Status) }

// DialFunc opens connections, as net.Dialer does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer connects directly, and through a proxy if the direct connection is not
// established soon. Browsers use a proxy for TURN over TCP in the same way.
type Dialer struct {
	Dial DialFunc
	// Proxy returns the proxy for a request, as in http.Transport; nil means no
	// proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs verify https: proxies; nil means the system's.
	RootCAs *x509.CertPool
}

// DialContext connects to address. through is true if the connection uses a proxy,
// which then resolved the name. The error is that of the direct connection if there
// is no proxy, otherwise both errors.
func (d Dialer) DialContext(ctx context.Context, network, address string) (conn net.Conn, through bool, err error) {
	if d.Proxy == nil {
		conn, err := d.Dial(ctx, network, address)
		return conn, false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	type dialled struct {
		conn    net.Conn
		through bool
		err     error
	}
	results := make(chan dialled, 2)
	failed := make(chan struct{})
	go func() {
		conn, err := d.Dial(ctx, network, address)
		if err != nil {
			close(failed)
		}
		results <- dialled{conn, false, err}
	}()
	go func() {
		head := time.NewTimer(headStart)
		defer head.Stop()
		select {
		case <-head.C:
		case <-failed:
		case <-ctx.Done():
		}
		t := dialled{through: true}
		if err := guard.Do(func() { t.conn, t.err = d.tunnel(ctx, address) }); err != nil {
			t.err = err
		}
		results <- t
	}()
	first := <-results
	if first.err == nil {
		go func() {
			cancel()
			if late := <-results; late.conn != nil {
				_ = late.conn.Close()
			}
		}()
		return first.conn, first.through, nil
	}
	second := <-results
	cancel()
	switch {
	case second.err == nil:
		return second.conn, second.through, nil
	case errors.Is(first.err, errNoProxy):
		return nil, false, second.err
	case errors.Is(second.err, errNoProxy):
		return nil, false, first.err
	}
	return nil, false, errors.Join(first.err, second.err)
}

var errNoProxy = errors.New("there is no proxy")

func (d Dialer) tunnel(ctx context.Context, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := (&http.Request{Method: http.MethodConnect, URL: &url.URL{Scheme: "https", Host: address}, Header: http.Header{}}).WithContext(ctx)
	via, err := d.Proxy(r)
	if err != nil || via == nil {
		return nil, errNoProxy
	}
	return Tunnel(ctx, d.Dial, d.RootCAs, via, address)
}

// Tunnel connects to address through the proxy via: by CONNECT (RFC 9110 §9.3.6) or
// by SOCKS5 (RFC 1928). The proxy resolves the name. A refusal is a *StatusError.
func Tunnel(ctx context.Context, dial DialFunc, roots *x509.CertPool, via *url.URL, address string) (net.Conn, error) {
	conn, err := dial(ctx, "tcp", hostPort(via))
	if err != nil {
		return nil, fmt.Errorf("connect to the proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	through, err := tunnelOver(ctx, conn, roots, via, address)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return through, nil
}

func tunnelOver(ctx context.Context, conn net.Conn, roots *x509.CertPool, via *url.URL, address string) (net.Conn, error) {
	switch via.Scheme {
	case "socks5", "socks5h":
		return socks(conn, via, address)
	case "https":
		secure := tls.Client(conn, &tls.Config{ServerName: via.Hostname(), RootCAs: roots, NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("start TLS with the proxy: %w", err)
		}
		conn = secure
	case "http":
	default:
		return nil, fmt.Errorf("unknown proxy scheme %q", via.Scheme)
	}
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{"User-Agent": {"tonprobe"}}}
	if user := via.User; user != nil {
		password, _ := user.Password()
		credentials := &http.Request{Header: http.Header{}}
		credentials.SetBasicAuth(user.Username(), password)
		r.Header.Set("Proxy-Authorization", credentials.Header.Get("Authorization"))
	}
	if err := r.Write(conn); err != nil {
		return nil, fmt.Errorf("request a tunnel from the proxy: %w", err)
	}
	// The reader may buffer data from the tunnel, which would be lost. There is
	// none, because the server sends only after the client, as with TURN over TCP
	// and TLS.
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxTunnelHeader)), r)
	if err != nil {
		return nil, fmt.Errorf("request a tunnel from the proxy: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		_ = answer.Body.Close()
		return nil, &StatusError{Status: answer.StatusCode}
	}
	return conn, nil
}

func socks(conn net.Conn, via *url.URL, address string) (net.Conn, error) {
	var auth *proxy.Auth
	if user := via.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", via.Host, auth, established{conn})
	if err != nil {
		return nil, fmt.Errorf("query the SOCKS proxy: %w", err)
	}
	through, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("query the SOCKS proxy: %w", err)
	}
	return through, nil
}

// established is a dialler that returns an existing connection.
type established struct{ net.Conn }

func (e established) Dial(string, string) (net.Conn, error) { return e.Conn, nil }

// hostPort returns the address of a proxy, with the default port of its scheme.
func hostPort(via *url.URL) string {
	if via.Port() != "" {
		return via.Host
	}
	port := map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[via.Scheme]
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(via.Hostname(), port)
}

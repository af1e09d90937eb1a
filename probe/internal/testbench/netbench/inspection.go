package netbench

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync/atomic"
	"time"
)

// InspectionSpec is a firewall that intercepts TLS with a certificate of its own
// authority.
type InspectionSpec struct {
	// Trusted means that the authority's certificate is installed on the computer.
	Trusted bool `toml:"trusted"`
	// Unlisted means that the authority's name is not in the list of known
	// products.
	Unlisted bool `toml:"unlisted"`
	// StripsWebSocket removes the upgrade headers (RFC 6455 §4.1).
	StripsWebSocket bool `toml:"strips_websocket"`
	// RefusesWebSocket responds to an upgrade with this status instead of the
	// server; CutsWebSocket closes the connection.
	RefusesWebSocket int  `toml:"refuses_websocket"`
	CutsWebSocket    bool `toml:"cuts_websocket"`
}

// stops handles an upgrade that the firewall does not forward.
func (s InspectionSpec) stops(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Header.Get("Upgrade") == "":
		return false
	case s.CutsWebSocket:
		panic(http.ErrAbortHandler)
	case s.RefusesWebSocket != 0:
		w.WriteHeader(s.RefusesWebSocket)
		return true
	}
	return false
}

// inspectingFirewall runs on the gateway; connections are redirected to it.
type inspectingFirewall struct {
	authority, unlisted *authority
	server              *http.Server
	spec                atomic.Pointer[InspectionSpec]
}

// pem returns the certificates of both authorities.
func (f *inspectingFirewall) pem() []byte { return append(f.authority.pem(), f.unlisted.pem()...) }

// listenInspection binds addr in the calling thread's namespace. Requests are
// forwarded to upstream over TLS without verification, because the firewall's own
// trust is not under test.
func listenInspection(addr netip.Addr, from dial, upstream netip.Addr) (serve func(), f *inspectingFirewall, err error) {
	f = &inspectingFirewall{}
	f.spec.Store(&InspectionSpec{})
	// A name that such products use.
	if f.authority, err = newAuthority("FortiGate CA, Stadtwerke Musterstadt"); err != nil {
		return nil, nil, err
	}
	if f.unlisted, err = newAuthority("IT-Betrieb Root 2"); err != nil {
		return nil, nil, err
	}
	listed, err := f.authority.issue(ServerName)
	if err != nil {
		return nil, nil, err
	}
	unlisted, err := f.unlisted.issue(ServerName)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(addr, inspectPort).String())
	if err != nil {
		return nil, nil, fmt.Errorf("open the inspecting firewall: %w", err)
	}
	onward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "https", netip.AddrPortFrom(upstream, 443).String()
			if f.spec.Load().StripsWebSocket {
				r.Out.Header.Del("Upgrade")
				r.Out.Header.Del("Connection")
			}
		},
		Transport: &http.Transport{DialContext: from, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: ServerName}},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	f.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.spec.Load().stops(w, r) {
			onward.ServeHTTP(w, r)
		}
	}), ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	// No HTTP/2, which does not support Upgrade.
	l = tls.NewListener(l, &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if f.spec.Load().Unlisted {
			return &unlisted, nil
		}
		return &listed, nil
	}})
	return func() { go func() { _ = f.server.Serve(l) }() }, f, nil
}

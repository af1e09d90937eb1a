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

// InspectionSpec is a firewall that opens TLS, looks inside and closes it again
// with a certificate of its own authority.
type InspectionSpec struct {
	// Trusted says that the authority's certificate is installed on the computer.
	Trusted bool `toml:"trusted"`
	// Unlisted says that its authority has a name that no list knows.
	Unlisted bool `toml:"unlisted"`
	// StripsWebSocket takes out what asks for a WebSocket (RFC 6455 §4.1).
	StripsWebSocket bool `toml:"strips_websocket"`
	// RefusesWebSocket answers such a request with this status in the server's
	// place, CutsWebSocket closes the connection.
	RefusesWebSocket int  `toml:"refuses_websocket"`
	CutsWebSocket    bool `toml:"cuts_websocket"`
}

// stops deals with what asks for a WebSocket, if the firewall does not let it on.
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

// inspectingFirewall stands on the gateway; connections are led to it.
type inspectingFirewall struct {
	authority, unlisted *authority
	server              *http.Server
	spec                atomic.Pointer[InspectionSpec]
}

// pem are the certificates of both authorities.
func (f *inspectingFirewall) pem() []byte { return append(f.authority.pem(), f.unlisted.pem()...) }

// listenInspection binds addr in the calling thread's namespace. Requests go on
// to upstream, over TLS that is not checked: the firewall's own trust is not
// what is tested.
func listenInspection(addr netip.Addr, from dial, upstream netip.Addr) (serve func(), f *inspectingFirewall, err error) {
	f = &inspectingFirewall{}
	f.spec.Store(&InspectionSpec{})
	// The name is one by which these products sign.
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
	// No HTTP/2: its connections know no Upgrade.
	l = tls.NewListener(l, &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if f.spec.Load().Unlisted {
			return &unlisted, nil
		}
		return &listed, nil
	}})
	return func() { go func() { _ = f.server.Serve(l) }() }, f, nil
}

// Package peer determines the client of a request. Behind a proxy it is the address that the proxy
// reports, and only proxies from a configured network are trusted.
package peer

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type key struct{}

type origin struct {
	addr netip.Addr
	tls  bool
	// proxied is set if one of our own proxies forwarded the request.
	proxied bool
}

// Resolve is a middleware that determines the peer's address and whether it uses TLS, for Addr and
// TLS. trusted are the networks of our own proxies.
func Resolve(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, resolve(trusted, r))))
	})
}

// Addr returns the peer's address; the zero Addr if it is unknown.
func Addr(r *http.Request) netip.Addr {
	if o, ok := r.Context().Value(key{}).(origin); ok {
		return o.addr
	}
	return resolve(nil, r).addr
}

// Proxied reports whether one of our own proxies forwarded the request.
func Proxied(r *http.Request) bool {
	o, ok := r.Context().Value(key{}).(origin)
	return ok && o.proxied
}

// TLS reports whether the peer reached us, or the proxy before us, through TLS.
func TLS(r *http.Request) bool {
	if o, ok := r.Context().Value(key{}).(origin); ok {
		return o.tls
	}
	return r.TLS != nil
}

func resolve(trusted []netip.Prefix, r *http.Request) origin {
	o := origin{tls: r.TLS != nil}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		o.addr = ap.Addr().Unmap()
	}
	if !within(trusted, o.addr) {
		return o
	}
	o.proxied = true
	o.tls = o.tls || strings.EqualFold(strings.TrimSpace(r.Header.Get("X-Forwarded-Proto")), "https")
	// From the right: each proxy appends its peer, so everything left of the first untrusted
	// address was written by that peer.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		o.addr = a.Unmap()
		if !within(trusted, o.addr) {
			break
		}
	}
	return o
}

// Only answers 403 to connections from outside of the networks: behind a proxy we serve plain HTTP,
// which is for the proxy alone.
func Only(networks []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ap, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !within(networks, ap.Addr().Unmap()) && !ap.Addr().Unmap().IsLoopback() {
			w.Header().Set("Connection", "close")
			http.Error(w, "This address serves only its proxy. Use the public address.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

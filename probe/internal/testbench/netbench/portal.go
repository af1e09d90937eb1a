package netbench

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// PortalSpec is a guest network with a login page.
type PortalSpec struct {
	// Page is the response to an unencrypted request: redirect (302 to the login
	// page), login (200 with the login page, for any URL) or 511 (RFC 6585 §6).
	Page string `toml:"page"`
	// TLS is what happens to an encrypted connection: own (the portal's
	// certificate), refused or silent.
	TLS string `toml:"tls"`
}

func (s *PortalSpec) validate() error {
	if s.Page == "" {
		s.Page = "redirect"
	}
	if s.TLS == "" {
		s.TLS = "own"
	}
	if !slices.Contains([]string{"redirect", "login", "511"}, s.Page) || !slices.Contains([]string{"own", "refused", "silent"}, s.TLS) {
		return fmt.Errorf("page = %q, tls = %q: want redirect, login or 511, and own, refused or silent", s.Page, s.TLS)
	}
	return nil
}

const loginHost = "login.hotel.example"

// loginPages are the servers of all kinds of guest networks.
type loginPages struct{ servers []*http.Server }

// listenPortal binds addr in the calling thread's namespace.
func listenPortal(addr netip.Addr) (serve func(), pages *loginPages, err error) {
	authority, err := newAuthority("Hotel Seeblick Gastnetz")
	if err != nil {
		return nil, nil, err
	}
	cert, err := authority.issue(loginHost)
	if err != nil {
		return nil, nil, err
	}
	pages = &loginPages{}
	var begin []func()
	for port, page := range map[uint16]http.HandlerFunc{
		redirectPort: leadToLogin, loginPort: showLogin, authNeedPort: needAuthentication, portalTLSPort: leadToLogin,
	} {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(addr, port).String())
		if err != nil {
			pages.close()
			return nil, nil, fmt.Errorf("open the guest network's pages: %w", err)
		}
		if port == portalTLSPort {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		}
		s := &http.Server{
			Handler: page, ReadHeaderTimeout: 5 * time.Second,
			ErrorLog: log.New(io.Discard, "", 0), // rejected certificates are expected
		}
		pages.servers = append(pages.servers, s)
		begin = append(begin, func() { go func() { _ = s.Serve(l) }() })
	}
	return func() {
		for _, b := range begin {
			b()
		}
	}, pages, nil
}

func leadToLogin(w http.ResponseWriter, r *http.Request) {
	if r.Host == loginHost {
		showLogin(w, r)
		return
	}
	http.Redirect(w, r, "http://"+loginHost+"/", http.StatusFound)
}

func showLogin(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "<html><title>Guest network</title>Please log in.</html>")
}

func needAuthentication(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNetworkAuthenticationRequired)
	_, _ = io.WriteString(w, `<html><meta http-equiv="refresh" content="0; url=https://`+loginHost+`/">Please log in.</html>`)
}

func (p *loginPages) close() {
	for _, s := range p.servers {
		_ = s.Close()
	}
}

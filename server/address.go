package server

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tonprobe/tonprobe/server/cert"
)

// URL returns the address of the collector on this machine.
func (s *Server) URL() string {
	scheme := "https"
	if s.config.plainHTTP() {
		scheme = "http"
	}
	host, port := "localhost", ""
	if a, err := netip.ParseAddrPort(s.listener.Addr().String()); err == nil {
		port = strconv.Itoa(int(a.Port()))
		if !a.Addr().IsUnspecified() {
			host = a.Addr().Unmap().String()
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// PublicURL returns the address for other machines: the configured one, or URL.
func (s *Server) PublicURL() string {
	if origin := s.config.publicOrigin(); origin != "" {
		return origin
	}
	return s.URL()
}

// webPort returns the port of PublicURL; 0 if that is not HTTPS.
func (s *Server) webPort() uint16 {
	u, err := url.Parse(s.PublicURL())
	if err != nil || u.Scheme != "https" {
		return 0
	}
	if u.Port() == "" {
		return 443
	}
	n, _ := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(n)
}

// OwnCertificate returns the file that agents need for --ca and the SHA-256 that browsers display, if
// the collector created its own certificate.
func (s *Server) OwnCertificate() (caFile, fingerprint string, ok bool) {
	if s.own == nil {
		return "", "", false
	}
	return s.own.AuthorityFile, s.own.Fingerprint(), true
}

// AuthorityPin returns the pin of the collector's own authority, which an invitation contains; "" if
// computers trust its certificate anyway.
func (s *Server) AuthorityPin() string {
	if s.own == nil {
		return ""
	}
	return s.own.AuthorityPin()
}

func (s *Server) certificate() (cert.Source, error) {
	c := s.config
	if c.TLSCert != "" {
		return cert.FromFiles(c.TLSCert, c.TLSKey, c.Log, c.Now)
	}
	own, err := cert.NewOwn(filepath.Join(c.DataDir, "tls"), s.ownNames(), c.Now)
	if err != nil {
		return nil, err
	}
	own.Log = c.Log
	own.Follow(s.ownNames)
	s.own = own
	return own, nil
}

// ownNames returns all names and addresses of this machine.
func (s *Server) ownNames() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(s.config.Listen); err == nil {
		names = append(names, host)
	}
	names = append(names, s.config.publicHost(), s.config.mediaHost())
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	for _, a := range s.config.MediaIPs {
		names = append(names, a.String())
	}
	names = append(names, interfaceAddresses()...)
	names = slices.DeleteFunc(names, func(n string) bool { return !certifiable(n) })
	slices.Sort(names)
	return slices.Compact(names)
}

// certifiable excludes what a certificate cannot contain: "", 0.0.0.0, and host names with an
// underscore or a trailing dot, which some machines have.
func certifiable(name string) bool {
	if a, err := netip.ParseAddr(name); err == nil {
		return !a.IsUnspecified() && a.Zone() == ""
	}
	if name == "" || len(name) > 253 || name[len(name)-1] == '.' || name[0] == '.' || name[0] == '-' {
		return false
	}
	for _, r := range name {
		if !(r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return false
		}
	}
	return true
}

func interfaceAddresses() []string {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range found {
		p, err := netip.ParsePrefix(f.String())
		// Link-local and temporary addresses change: a new certificate at every start would make
		// people ignore warnings.
		if err == nil && !p.Addr().IsLinkLocalUnicast() && p.Addr().Is4() {
			names = append(names, p.Addr().String())
		}
	}
	return names
}

package bbbrig

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"net/netip"

	"github.com/pion/webrtc/v4"
)

// Place is where a server listens.
type Place struct {
	Listener    net.Listener
	URL         string // under which clients reach it
	Certificate tls.Certificate
	Media       netip.Addr // address for the media
}

func (p *Place) prepare(s *httptest.Server) {
	if p == nil {
		return
	}
	_ = s.Listener.Close()
	s.Listener = p.Listener
	s.TLS = &tls.Config{Certificates: []tls.Certificate{p.Certificate}}
}

func (p *Place) url(s *httptest.Server) string {
	if p == nil {
		return s.URL
	}
	return p.URL
}

// address sets the address for the media.
func (p *Place) address(e *webrtc.SettingEngine) {
	if p == nil {
		e.SetIncludeLoopbackCandidate(true)
		e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
		return
	}
	e.SetIncludeLoopbackCandidate(p.Media.IsLoopback())
	e.SetIPFilter(func(ip net.IP) bool { return ip.Equal(p.Media.AsSlice()) })
}

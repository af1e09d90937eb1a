// Package testnet provides the network for unit tests: loopback sockets, with
// names, interfaces, clocks and faults as a test requires.
package testnet

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/pion/transport/v4"
)

// Names is a resolver with a fixed table.
type Names map[string][]string

func (n Names) LookupNetIP(_ context.Context, _, name string) (addrs []netip.Addr, err error) {
	for _, a := range n[name] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, Server: "192.0.2.53:53", IsNotFound: true}
	}
	return addrs, nil
}

// Lookup is a resolver that calls a function.
type Lookup func(ctx context.Context) error

func (l Lookup) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	return nil, l(ctx)
}

// Broken is a network whose diallers call OnDial. Its interfaces are Listed, and
// RouteErr is the error of a route lookup.
type Broken struct {
	transport.Net
	OnDial   func(ctx context.Context) error
	Listed   []*transport.Interface
	RouteErr error
}

func (b Broken) CreateDialer(*net.Dialer) transport.Dialer { return Dialer(b.OnDial) }

func (b Broken) Interfaces() ([]*transport.Interface, error) { return b.Listed, nil }

func (b Broken) DialUDP(string, *net.UDPAddr, *net.UDPAddr) (transport.UDPConn, error) {
	if b.RouteErr != nil {
		return nil, b.RouteErr
	}
	return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
}

// Dialer returns a dialler that calls dial instead of connecting.
func Dialer(dial func(ctx context.Context) error) transport.Dialer { return dialer{dial} }

type dialer struct {
	dial func(ctx context.Context) error
}

func (d dialer) Dial(string, string) (net.Conn, error) {
	return nil, d.dial(context.Background())
}

func (d dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return nil, d.dial(ctx)
}

// UntilDone waits until ctx ends.
func UntilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// InterfaceWith returns an interface in the form of the system's list.
func InterfaceWith(name string, flags net.Flags, address string) *transport.Interface {
	i := transport.NewInterface(net.Interface{Name: name, Flags: flags})
	i.AddAddress(&net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(24, 32)})
	return i
}

// Server starts a web server on loopback until the end of the test.
func Server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections() // a handler may still be reading buffered data
		s.Close()
	})
	return s
}

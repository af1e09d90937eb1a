package media_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// firewall drops packets to the given ports.
type firewall struct {
	*stdnet.Net
	udp, tcp func(port int) bool
}

func newFirewall(t *testing.T, udp, tcp func(int) bool) *firewall {
	t.Helper()
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	return &firewall{n, udp, tcp}
}

func none(int) bool { return false }

func all(int) bool { return true }

func only(port uint16) func(int) bool {
	return func(p int) bool { return p == int(port) }
}

type filteredUDP struct {
	transport.UDPConn
	blocked func(port int) bool
}

func (c filteredUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok && c.blocked(u.Port) {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}

type filteredPackets struct {
	net.PacketConn
	blocked func(port int) bool
}

func (c filteredPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); ok && c.blocked(u.Port) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

// filteredDialer is a dialer behind the firewall, which refuses at once.
type filteredDialer struct {
	transport.Dialer
	blocked func(port int) bool
}

func (d filteredDialer) Dial(network, address string) (net.Conn, error) {
	at, err := net.ResolveTCPAddr(network, address)
	if err == nil && d.blocked(at.Port) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: at, Err: syscall.ECONNREFUSED}
	}
	return d.Dialer.Dial(network, address)
}

func (f *firewall) CreateDialer(d *net.Dialer) transport.Dialer {
	return filteredDialer{f.Net.CreateDialer(d), f.tcp}
}

func (f *firewall) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := f.Net.ListenUDP(network, at)
	if err != nil {
		return nil, err
	}
	return filteredUDP{c, f.udp}, nil
}

func (f *firewall) ListenPacket(network, at string) (net.PacketConn, error) {
	c, err := f.Net.ListenPacket(network, at)
	if err != nil {
		return nil, err
	}
	return filteredPackets{c, f.udp}, nil
}

var errRefused = errors.New("connection refused by the test's firewall")

func (f *firewall) DialTCP(network string, local, remote *net.TCPAddr) (transport.TCPConn, error) {
	if f.tcp(remote.Port) {
		return nil, errRefused
	}
	return f.Net.DialTCP(network, local, remote)
}

// withoutTCP removes the TCP candidates from the answer: the library bypasses
// env.Net to dial them, so the firewall cannot block them.
type withoutTCP struct{ direct }

func (s withoutTCP) Offer(ctx context.Context, offer string) (answer, resource string, err error) {
	answer, resource, err = s.direct.Offer(ctx, offer)
	var b strings.Builder
	for line := range strings.Lines(answer) {
		if !strings.Contains(line, " 1 tcp ") {
			b.WriteString(line)
		}
	}
	return b.String(), resource, err
}

var _ transport.Net = (*firewall)(nil)

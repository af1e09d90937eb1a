package media

import (
	"fmt"
	"net"
	"sync"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// stampedNet opens sockets that record when packets arrive and depart. Sockets that
// are not the system's are not modified. Sockets to relays over UDP pass a gate.
type stampedNet struct {
	transport.Net
	env                  probe.Env
	arrivals, departures *arrival.Stamps
	relays               *relayGate

	mu sync.Mutex
	// beyond contains the addresses of relays that are reached through a proxy.
	beyond map[string]bool
}

// placeholder is used as the address of a relay behind a proxy, which alone can
// resolve the relay's name. It is reserved by RFC 5737. The TURN client requires an
// address but sends nothing to it: its packets use the connection.
var placeholder = net.IPv4(192, 0, 2, 1)

// beyondProxy records that a relay is reached through a proxy.
func (n *stampedNet) beyondProxy(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.beyond == nil {
		n.beyond = map[string]bool{}
	}
	n.beyond[address] = true
}

// ResolveUDPAddr implements transport.Net.
func (n *stampedNet) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	n.mu.Lock()
	beyond := n.beyond[address]
	n.mu.Unlock()
	if beyond {
		return &net.UDPAddr{IP: placeholder, Port: turnPort}, nil
	}
	return n.Net.ResolveUDPAddr(network, address)
}

func newStampedNet(env probe.Env, arrivals, departures *arrival.Stamps, relays *relayGate) (*stampedNet, error) {
	under := env.Net
	if under == nil {
		system, err := stdnet.NewNet()
		if err != nil {
			return nil, fmt.Errorf("list the network interfaces: %w", err)
		}
		under = system
	}
	return &stampedNet{Net: under, env: env, arrivals: arrivals, departures: departures, relays: relays}, nil
}

// ListenUDP implements transport.Net.
func (n *stampedNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	if system, ok := conn.(*net.UDPConn); ok && err == nil {
		return arrival.Wrap(system, n.arrivals, n.departures, n.env.Clock.Now), nil
	}
	return conn, err
}

// ListenPacket implements transport.Net. The library uses it for sockets to relays.
func (n *stampedNet) ListenPacket(network, at string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, at)
	if err != nil {
		return nil, err
	}
	return gatedPackets{conn, n.relays}, nil
}

package peer

import (
	"fmt"
	"net"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// stampedNet opens sockets on which the system records when packets arrive and depart, because
// a busy computer reads them later. Sockets of a virtual network are not modified.
type stampedNet struct {
	transport.Net
	now                  func() time.Time
	arrivals, departures *arrival.Stamps
}

func (c *Connection) stampedNet(env probe.Env) (transport.Net, error) {
	under := env.Net
	if under == nil {
		system, err := stdnet.NewNet()
		if err != nil {
			return nil, fmt.Errorf("list the network interfaces: %w", err)
		}
		under = system
	}
	return stampedNet{under, env.Clock.Now, &c.arrivals, &c.departures}, nil
}

// ListenUDP implements transport.Net.
func (n stampedNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	if system, ok := conn.(*net.UDPConn); ok && err == nil {
		return arrival.Wrap(system, n.arrivals, n.departures, n.now), nil
	}
	return conn, err
}

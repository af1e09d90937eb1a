package media

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/turnframe"
)

const (
	// relayTLSLimit is how long a relay may take for the encryption.
	relayTLSLimit = 5 * time.Second
	turnPort      = 3478 // RFC 8656 §18
	turnsPort     = 5349
)

// relayDialer opens the connections to relays over TCP and TLS. The ICE library
// trusts the system's authorities alone; a collector may have signed for itself.
// With a dialer it leaves the encryption to that one too.
type relayDialer struct {
	net     transport.Net
	clock   probe.Clock
	rootCAs *x509.CertPool    // nil is the system's
	secure  map[string]string // server names by address, of turns: servers
	gate    *relayGate
}

func newRelayDialer(n transport.Net, clock probe.Clock, servers wire.ICEConfig, rootCAs *x509.CertPool, gate *relayGate) relayDialer {
	d := relayDialer{n, clock, rootCAs, map[string]string{}, gate}
	for _, s := range servers.ICEServers {
		for _, u := range s.URLs {
			rest, ok := strings.CutPrefix(u, "turns:")
			if !ok {
				continue
			}
			hostport, _, _ := strings.Cut(rest, "?")
			host, port, err := net.SplitHostPort(hostport)
			if err != nil {
				host, port = strings.Trim(hostport, "[]"), strconv.Itoa(turnsPort)
			}
			d.secure[net.JoinHostPort(host, port)] = host
		}
	}
	return d
}

// Dial implements proxy.Dialer of golang.org/x/net.
func (d relayDialer) Dial(network, address string) (net.Conn, error) {
	at, err := d.net.ResolveTCPAddr(network, address)
	if err != nil {
		return nil, fmt.Errorf("look up the relay: %w", err)
	}
	conn, err := d.net.DialTCP(network, nil, at)
	if err != nil {
		return nil, fmt.Errorf("connect to the relay: %w", err)
	}
	name, secure := d.secure[address]
	if !secure {
		return gatedConn{turnframe.Conn{Conn: conn}, d.gate}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), relayTLSLimit)
	defer cancel()
	over := tls.Client(conn, &tls.Config{
		ServerName: name, RootCAs: d.rootCAs, Time: d.clock.Now, CurvePreferences: wire.RelayCurves(),
	})
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with the relay: %w", err)
	}
	return gatedConn{turnframe.Conn{Conn: over}, d.gate}, nil
}

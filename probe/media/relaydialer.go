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

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/turnframe"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
)

const (
	// relayLimit limits connecting to a relay, including TLS.
	relayLimit = 5 * time.Second
	turnPort   = 3478 // RFC 8656 §18
	turnsPort  = 5349
)

// relayDialer opens connections to relays over TCP and TLS. The ICE library trusts
// only the system's certificate authorities, but a collector may use its own. With
// a custom dialer the library leaves TLS to it.
type relayDialer struct {
	net     *stampedNet
	clock   probe.Clock
	rootCAs *x509.CertPool    // nil means the system's
	secure  map[string]string // names of turns: servers by address
	gate    *relayGate
	proxied proxy.Dialer
}

func newRelayDialer(n *stampedNet, env probe.Env, servers wire.ICEConfig, c VoiceConfig, gate *relayGate) relayDialer {
	env.Net = n.Net
	d := relayDialer{
		net: n, clock: env.Clock, rootCAs: c.RootCAs, secure: map[string]string{}, gate: gate,
		proxied: proxy.Dialer{Dial: env.Dial, Proxy: c.Proxy, RootCAs: c.RootCAs},
	}
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
	ctx, cancel := context.WithTimeout(context.Background(), relayLimit)
	defer cancel()
	conn, through, err := d.proxied.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect to the relay: %w", err)
	}
	if through {
		d.net.beyondProxy(address)
	}
	name, secure := d.secure[address]
	if !secure {
		return gatedConn{turnframe.Conn{Conn: conn}, d.gate}, nil
	}
	over := tls.Client(conn, &tls.Config{
		ServerName: name, RootCAs: d.rootCAs, Time: d.clock.Now, CurvePreferences: wire.RelayCurves(),
	})
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("start TLS with the relay: %w", err)
	}
	return gatedConn{turnframe.Conn{Conn: over}, d.gate}, nil
}

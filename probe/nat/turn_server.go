package nat

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// relayTransport is the protocol between us and a relay.
type relayTransport int

const (
	overUDP relayTransport = iota
	overTCP
	overTLS
)

func (t relayTransport) String() string { return [...]string{"udp", "tcp", "tls"}[t] }

// relayServer is one TURN server with one transport.
type relayServer struct {
	transport relayTransport
	host      string
	port      int
	// at is the address from a redirection, which needs no lookup.
	at netip.AddrPort
	// domain is the name that the server's certificate must have.
	domain               string
	username, credential string
}

func (s relayServer) address() string {
	if s.at.IsValid() {
		return s.at.String()
	}
	return net.JoinHostPort(s.host, strconv.Itoa(s.port))
}

const (
	turnsPort = 5349 // RFC 8656 §18
	// maxRelays limits the cost of a list: two servers with three transports each.
	maxRelays = 6
)

// relaysOf returns the distinct relays to try. The first server of each transport
// comes first, so that a long list does not exclude a transport.
func relaysOf(c wire.ICEConfig) []relayServer {
	var first, further []relayServer
	var have [3]bool
	seen := map[string]bool{}
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			r, ok := parseRelayURL(u)
			key := r.transport.String() + " " + r.address()
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			r.username, r.credential, r.domain = s.Username, s.Credential, r.host
			if !have[r.transport] {
				have[r.transport] = true
				first = append(first, r)
				continue
			}
			further = append(further, r)
		}
	}
	all := append(first, further...)
	return all[:min(len(all), maxRelays)]
}

// transportsOf counts the different transports among servers.
func transportsOf(servers []relayServer) int {
	have := map[relayTransport]bool{}
	for _, s := range servers {
		have[s.transport] = true
	}
	return len(have)
}

// parseRelayURL parses turn: and turns: URLs (RFC 7065).
func parseRelayURL(u string) (relayServer, bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	rest, query, _ := strings.Cut(rest, "?")
	r := relayServer{transport: overUDP}
	var usual int
	switch {
	case scheme == "turn" && (query == "" || query == "transport=udp"):
		usual = stunPort
	case scheme == "turn" && query == "transport=tcp":
		r.transport, usual = overTCP, stunPort
	case scheme == "turns" && (query == "" || query == "transport=tcp"):
		r.transport, usual = overTLS, turnsPort
	default: // turns over UDP is DTLS, which no client uses
		return r, false
	}
	// The rest has the form of a stun: URL.
	s, ok := parseURL("stun:" + rest)
	r.host, r.port = s.host, s.port
	if _, _, err := net.SplitHostPort(rest); err != nil {
		r.port = usual
	}
	return r, ok
}

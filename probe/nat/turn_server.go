package nat

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// way is how a relay is reached.
type way int

const (
	overUDP way = iota
	overTCP
	overTLS
)

func (w way) String() string { return [...]string{"udp", "tcp", "tls"}[w] }

// relayServer is one TURN server and the way to it.
type relayServer struct {
	way  way
	host string
	port int
	// at is the address where a redirection gave one; it is not looked up then.
	at netip.AddrPort
	// domain is the name that the server's certificate has to bear.
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
	// maxRelays bounds what a list of servers can cost: two servers with three
	// ways each.
	maxRelays = 6
)

// relaysOf are the relays to try, each once: the first server of every way
// first, so that a long list does not leave a way out.
func relaysOf(c wire.ICEConfig) []relayServer {
	var first, further []relayServer
	var have [3]bool
	seen := map[string]bool{}
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			r, ok := parseRelayURL(u)
			key := r.way.String() + " " + r.address()
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			r.username, r.credential, r.domain = s.Username, s.Credential, r.host
			if !have[r.way] {
				have[r.way] = true
				first = append(first, r)
				continue
			}
			further = append(further, r)
		}
	}
	all := append(first, further...)
	return all[:min(len(all), maxRelays)]
}

// waysOf counts the different ways among servers.
func waysOf(servers []relayServer) int {
	have := map[way]bool{}
	for _, s := range servers {
		have[s.way] = true
	}
	return len(have)
}

// parseRelayURL reads turn: and turns: URLs (RFC 7065).
func parseRelayURL(u string) (relayServer, bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	rest, query, _ := strings.Cut(rest, "?")
	r := relayServer{way: overUDP}
	var usual int
	switch {
	case scheme == "turn" && (query == "" || query == "transport=udp"):
		usual = stunPort
	case scheme == "turn" && query == "transport=tcp":
		r.way, usual = overTCP, stunPort
	case scheme == "turns" && (query == "" || query == "transport=tcp"):
		r.way, usual = overTLS, turnsPort
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

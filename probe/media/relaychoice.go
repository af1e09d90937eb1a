package media

import (
	"net"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// dedupeRelays keeps one of the relays that a server offers over the same
// transport. Each costs a connection before it is known whether a relay is needed,
// and over TLS as many bytes as a second of voice, which would delay the voice on a
// slow line. Of several over TLS it keeps the one at the port that the collector's
// web server uses, which this network allows; otherwise the one at 443, otherwise
// the first.
func dedupeRelays(servers wire.ICEConfig, webPort int) wire.ICEConfig {
	type place struct{ server, url int }
	chosen := map[string]place{}
	rank := func(port int) int {
		switch port {
		case webPort:
			return 2
		case httpsPort:
			return 1
		}
		return 0
	}
	for i, s := range servers.ICEServers {
		for k, u := range s.URLs {
			transport, host, port, ok := relayOf(u)
			if !ok {
				continue
			}
			key := transport + " " + host
			at, twin := chosen[key]
			if twin {
				_, _, other, _ := relayOf(servers.ICEServers[at.server].URLs[at.url])
				if rank(port) <= rank(other) {
					continue
				}
			}
			chosen[key] = place{i, k}
		}
	}
	out := servers
	out.ICEServers = nil
	for i, s := range servers.ICEServers {
		kept := s
		kept.URLs = nil
		for k, u := range s.URLs {
			transport, host, _, ok := relayOf(u)
			if !ok || chosen[transport+" "+host] == (place{i, k}) {
				kept.URLs = append(kept.URLs, u)
			}
		}
		if len(kept.URLs) > 0 {
			out.ICEServers = append(out.ICEServers, kept)
		}
	}
	return out
}

const httpsPort = 443

// relayOf parses turn: and turns: URLs (RFC 7065).
func relayOf(u string) (transport, host string, port int, ok bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	hostport, query, _ := strings.Cut(rest, "?")
	switch {
	case scheme == "turns":
		transport, port = "tls", turnsPort
	case scheme == "turn" && query == "transport=tcp":
		transport, port = "tcp", turnPort
	case scheme == "turn":
		transport, port = "udp", turnPort
	default:
		return "", "", 0, false
	}
	host = strings.Trim(hostport, "[]")
	if h, p, err := net.SplitHostPort(hostport); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", "", 0, false
		}
		host, port = h, int(n)
	}
	return transport, host, port, host != ""
}

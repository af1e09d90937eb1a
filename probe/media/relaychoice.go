package media

import (
	"net"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// withoutTwins leaves of the relays that one server offers by the same way only
// one. Each costs a connection before anybody knows whether a relay is needed, over
// TLS as many bytes as a second of voice: on a narrow line they would hold up the
// voice. Of two over TLS the one at the port that the collector's pages came through
// stays, which this network lets out, else the one at 443, else the first.
func withoutTwins(servers wire.ICEConfig, webPort int) wire.ICEConfig {
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
			way, host, port, ok := relayOf(u)
			if !ok {
				continue
			}
			key := way + " " + host
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
			way, host, _, ok := relayOf(u)
			if !ok || chosen[way+" "+host] == (place{i, k}) {
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

// relayOf reads turn: and turns: URLs (RFC 7065).
func relayOf(u string) (way, host string, port int, ok bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	hostport, query, _ := strings.Cut(rest, "?")
	switch {
	case scheme == "turns":
		way, port = "tls", turnsPort
	case scheme == "turn" && query == "transport=tcp":
		way, port = "tcp", turnPort
	case scheme == "turn":
		way, port = "udp", turnPort
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
	return way, host, port, host != ""
}

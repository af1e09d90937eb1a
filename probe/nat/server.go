package nat

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	stunPort    = 3478 // RFC 8489 §18.6
	maxServers  = 3
	maxHostName = 253
	// resolveTime is sufficient for a system resolver to give up on one of two DNS servers and receive the answer of the
	// other.
	resolveTime = 4 * time.Second
)

// server is a configured STUN server.
type server struct {
	host     string
	port     int
	udp, tcp bool
	proof    credentials
}

// target is one address of a server.
type target struct {
	addr     netip.AddrPort
	udp, tcp bool
	proof    credentials
}

// credentials are those of the relay on the same host and port, which the collector's server also accepts as short-term
// credentials (RFC 8489 §9.1); empty if there is none. Only RESPONSE-PORT needs them.
type credentials struct{ username, password string }

// serversOf returns the first few distinct STUN servers of c that need no password.
func serversOf(c wire.ICEConfig) (servers []server) {
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			add, ok := parseURL(u)
			if !ok {
				continue
			}
			i := slices.IndexFunc(servers, func(s server) bool { return s.host == add.host && s.port == add.port })
			switch {
			case i >= 0:
				servers[i].udp, servers[i].tcp = servers[i].udp || add.udp, servers[i].tcp || add.tcp
			case len(servers) < maxServers:
				servers = append(servers, add)
			}
		}
	}
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			r, ok := parseRelayURL(u)
			if !ok {
				continue
			}
			for i := range servers {
				if servers[i].host == r.host && servers[i].port == r.port {
					servers[i].proof = credentials{s.Username, s.Credential}
				}
			}
		}
	}
	return servers
}

// parseURL parses stun:host[:port][?transport=udp|tcp] (RFC 7064).
func parseURL(u string) (server, bool) {
	rest, ok := strings.CutPrefix(u, "stun:")
	if !ok {
		return server{}, false
	}
	hostport, query, _ := strings.Cut(rest, "?")
	s := server{host: strings.Trim(hostport, "[]"), port: stunPort, udp: query != "transport=tcp", tcp: query != "transport=udp"}
	if host, port, err := net.SplitHostPort(hostport); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return server{}, false
		}
		s.host, s.port = host, int(n)
	}
	return s, isHostName(s.host)
}

// isHostName rejects what cannot be a host name.
func isHostName(s string) bool {
	return s != "" && len(s) <= maxHostName && !strings.ContainsAny(s, " /@\\")
}

// resolve looks up one IPv4 and one IPv6 address of each server, in order. Names that are not resolved in time are
// skipped.
func resolve(ctx context.Context, env probe.Env, servers []server) []target {
	families := []string{"udp4", "udp6"}
	found := make([]netip.AddrPort, len(servers)*len(families))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, s := range servers {
		for j, family := range families {
			wg.Go(func() {
				// transport.Net has no lookup with a context.
				a, err := env.Net.ResolveUDPAddr(family, net.JoinHostPort(s.host, strconv.Itoa(s.port)))
				if err != nil {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				found[i*len(families)+j] = addrPort(a.IP, a.Port)
			})
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	within(ctx, env, resolveTime, func(ctx context.Context) {
		select {
		case <-done:
		case <-ctx.Done():
		}
	})
	mu.Lock()
	defer mu.Unlock()
	var targets []target
	for i, addr := range found {
		s := servers[i/len(families)]
		t := target{addr: addr, udp: s.udp, tcp: s.tcp, proof: s.proof}
		if addr.IsValid() && !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets
}

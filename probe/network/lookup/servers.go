package lookup

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
)

// System returns this computer's resolver with the retries of Patient.
func System() Patient {
	return Patient{
		Resolver: net.DefaultResolver,
		Again:    func() Resolver { return &net.Resolver{} },
		Others: func() (others []Resolver) {
			servers := Servers()
			for _, s := range servers[min(1, len(servers)):] {
				others = append(others, only(s))
			}
			return others
		},
	}
}

// only returns a resolver that uses a single name server.
func only(server netip.AddrPort) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.String())
	}}
}

// parseSearch parses the search domains of a resolv.conf(5); the last search line counts.
func parseSearch(file []byte) (domains []string) {
	for line := range bytes.Lines(file) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[0] != "search" && fields[0] != "domain" {
			continue
		}
		domains = nil
		for _, d := range fields[1:] {
			if strings.ContainsAny(d[:1], "#;") {
				break
			}
			if d = strings.Trim(d, "."); d != "" {
				domains = append(domains, d)
			}
		}
	}
	return domains
}

// maxServers is the number of name servers that a system uses (resolv.conf(5), MAXNS).
const maxServers = 3

// parseServers parses the name servers of a resolv.conf(5) in order.
func parseServers(file []byte) (servers []netip.AddrPort) {
	for line := range bytes.Lines(file) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[0] != "nameserver" || len(servers) == maxServers {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(a.Unmap(), 53))
		}
	}
	return servers
}

package lookup

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
)

// System is this computer's own resolver, asked patiently.
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

// only is a resolver that knows a single name server.
func only(server netip.AddrPort) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.String())
	}}
}

// parseSearch reads the domains that a system adds to a name which is not found; of
// several lines the last one counts (resolv.conf(5)).
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

// maxServers is how many name servers a system uses (resolv.conf(5), MAXNS).
const maxServers = 3

// parseServers reads the name servers of a resolv.conf(5), in their order.
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

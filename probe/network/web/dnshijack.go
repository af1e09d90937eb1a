package web

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
)

// A name server that blocks a name by policy does not say so: it returns an unusable address, or
// that of the router it runs on.

// isUnspecified reports whether all addresses are unspecified, which no server can have (RFC 6890).
func isUnspecified(addrs []netip.Addr) bool {
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsUnspecified() })
}

// detectDNSHijack checks, after a failed connection, whether the name resolves to the local router. A
// private address alone proves nothing: the municipality's server may be reached through a tunnel.
func (j *journey) detectDNSHijack(ctx context.Context) {
	_, err := netip.ParseAddr(j.target.Hostname())
	led := j.data.Stage == stageDNS || j.data.TLSError != ""
	if err == nil || j.proxy != nil || !led || len(j.addrs) == 0 {
		return
	}
	if router := j.Router(ctx); router.IsValid() && !slices.ContainsFunc(j.addrs, func(a netip.Addr) bool { return a != router }) {
		j.data.DNSError, j.data.Stage, j.data.TLSError = dnsFalse, "", ""
	}
}

// silentTime is sufficient for the three queries of lookup.Patient and lookup.Ask.
const silentTime = 2200 * time.Millisecond

// askForIPv6 detects name servers that never respond to IPv6 queries. This program works around them;
// others wait for seconds at every name.
func (j *journey) askForIPv6(ctx context.Context) {
	_, err := netip.ParseAddr(j.target.Hostname())
	if err == nil || j.proxy != nil || j.data.Stage != stageHTTP || ctx.Err() != nil {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, silentTime)
	defer cancel()
	_, err = j.Resolver.LookupNetIP(bounded, "ip6", j.target.Hostname())
	if ctx.Err() == nil {
		j.data.DNSSilent6 = new(err != nil && dnsFault(err) == dnsTimeout)
	}
}

// routerOf returns the next router of the default route; invalid if unknown.
func routerOf(ctx context.Context) netip.Addr {
	a, err := adapter.Toward(ctx, adapter.Anywhere())
	if err != nil || !a.GatewayKnown {
		return netip.Addr{}
	}
	return a.Gateway
}

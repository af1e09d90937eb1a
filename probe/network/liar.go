package network

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/adapter"
)

// A name server that has been told to forbid a name does not say so: it gives
// an address that leads nowhere, or to the router it runs on.

// saysNowhere is the unspecified address, which no server has (RFC 6890).
func saysNowhere(addrs []netip.Addr) bool {
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsUnspecified() })
}

// unmaskLiar looks, once a name led nowhere, whether it led to the own router.
// A private address alone proves nothing: the town may have its server behind a
// tunnel.
func (j *journey) unmaskLiar(ctx context.Context) {
	_, err := netip.ParseAddr(j.target.Hostname())
	led := j.data.Stage == stageDNS || j.data.TLSError != ""
	if err == nil || j.proxy != nil || !led || len(j.addrs) == 0 {
		return
	}
	if router := j.Router(ctx); router.IsValid() && !slices.ContainsFunc(j.addrs, func(a netip.Addr) bool { return a != router }) {
		j.data.DNSError, j.data.Stage, j.data.TLSError = dnsFalse, "", ""
	}
}

// silentTime leaves room for three questions, as lookup.Patient and lookup.Ask ask them.
const silentTime = 2200 * time.Millisecond

// askForIPv6 finds name servers that never answer for IPv6. This program gets
// along without; others wait for seconds at every name.
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

// routerOf is the next router on the usual way out; invalid where none is known.
func routerOf(ctx context.Context) netip.Addr {
	a, err := adapter.Toward(ctx, anywhere)
	if err != nil || !a.GatewayKnown {
		return netip.Addr{}
	}
	return a.Gateway
}

package path

import (
	"context"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
)

// farEnds are the far ends of the path, as far as their addresses are known.
type farEnds struct {
	server    netip.Addr     // the conference server
	collector netip.Addr     // the collector's web server
	stun      netip.AddrPort // the STUN server that the collector announced
	// elsewhere is used if none of them is known.
	elsewhere netip.Addr
	// onlyHere is true if all of them are this computer.
	onlyHere bool
}

// locateWait limits name resolution and the request for the ICE servers together: on a dead line
// all of them time out.
const locateWait = 2500 * time.Millisecond

// locate determines the addresses of the far ends. This computer itself is not a far end.
func (p path) locate(ctx context.Context, env probe.Env) (far farEnds) {
	ctx, cancel := context.WithTimeout(ctx, locateWait)
	defer cancel()
	var wg guard.Group
	wg.Go(func() { far.server = p.prefer(ctx, lookup.AddressesOf(ctx, p.Resolver, p.URL)) })
	wg.Go(func() { far.collector = p.prefer(ctx, lookup.AddressesOf(ctx, p.Resolver, p.Collector)) })
	wg.Go(func() { far.stun = p.stunServer(ctx, env) })
	wg.Wait()
	far.elsewhere = p.prefer(ctx, []netip.Addr{adapter.Anywhere(), adapter.Anywhere6()})
	known := far.isKnown()
	own := adapter.OwnAddresses(env.Net)
	if own(far.server) {
		far.server = netip.Addr{}
	}
	if own(far.collector) {
		far.collector = netip.Addr{}
	}
	if own(far.stun.Addr()) {
		far.stun = netip.AddrPort{}
	}
	far.onlyHere = known && !far.isKnown()
	if far.server.IsValid() && far.server == far.stun.Addr() {
		far.server = netip.Addr{} // the same machine: one end of the path is sufficient
	}
	return far
}

func (f farEnds) isKnown() bool {
	return f.server.IsValid() || f.collector.IsValid() || f.stun.IsValid()
}

// toward returns the address for the route. If no name could be resolved it is one for
// documentation (RFC 5737, RFC 3849), to which packets are sent only with a time to live that ends
// at the first routers.
func (f farEnds) toward() netip.Addr {
	for _, a := range []netip.Addr{f.server, f.stun.Addr(), f.collector} {
		if a.IsValid() {
			return a
		}
	}
	return f.elsewhere
}

// prefer selects the address to measure.
func (p path) prefer(ctx context.Context, addrs []netip.Addr) netip.Addr {
	return adapter.Prefer(ctx, p.Toward, addrs)
}

// stunServer returns the address of the collector's STUN server over UDP.
func (p path) stunServer(ctx context.Context, env probe.Env) netip.AddrPort {
	at, err := lookup.STUNServer(ctx, p.ICE, p.Resolver, p.prefer)
	if err != nil {
		env.Log.Info("no STUN server known", "err", report.ErrorText(err))
	}
	return at
}

// carrierGrade is the shared address space for carrier-grade NAT (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isOutside reports whether an address does not belong to the network of a home or an office.
func isOutside(a netip.Addr) bool { return isPublic(a) || carrierGrade.Contains(a) }

func isPublic(a netip.Addr) bool {
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !carrierGrade.Contains(a)
}

package network

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
	var wg sync.WaitGroup
	wg.Go(func() { far.server = p.prefer(ctx, addressesOf(ctx, p.Resolver, p.URL)) })
	wg.Go(func() { far.collector = p.prefer(ctx, addressesOf(ctx, p.Resolver, p.Collector)) })
	wg.Go(func() { far.stun = p.stunServer(ctx, env) })
	wg.Wait()
	far.elsewhere = p.prefer(ctx, []netip.Addr{anywhere, anywhere6})
	known := far.isKnown()
	own := ownAddresses(env)
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

// ownAddresses returns a function that recognises addresses of this computer.
func ownAddresses(env probe.Env) func(netip.Addr) bool {
	var own []netip.Addr
	if interfaces, err := env.Net.Interfaces(); err == nil {
		for _, i := range interfaces {
			addrs, err := i.Addrs()
			if err != nil {
				continue
			}
			for _, a := range addrs {
				if prefix, err := netip.ParsePrefix(a.String()); err == nil {
					own = append(own, prefix.Addr().Unmap())
				}
			}
		}
	}
	return func(a netip.Addr) bool {
		return a.IsValid() && (a.IsLoopback() || slices.Contains(own, a.WithZone("")))
	}
}

// stunPort is the default port of a STUN server (RFC 8489 §18.6).
const stunPort = 3478

// stunServer returns the address of the collector's STUN server over UDP.
func (p path) stunServer(ctx context.Context, env probe.Env) netip.AddrPort {
	if p.ICE == nil {
		return netip.AddrPort{}
	}
	config, err := p.ICE(ctx)
	if err != nil {
		env.Log.Info("no STUN server known", "err", report.ErrorText(err))
		return netip.AddrPort{}
	}
	for _, s := range config.ICEServers {
		for _, u := range s.URLs {
			if at, ok := p.stunAddress(ctx, u); ok {
				return at
			}
		}
	}
	return netip.AddrPort{}
}

// stunAddress parses stun:host[:port] (RFC 7064) and resolves the host.
func (p path) stunAddress(ctx context.Context, raw string) (netip.AddrPort, bool) {
	hostport, ok := strings.CutPrefix(raw, "stun:")
	if !ok || strings.Contains(hostport, "?transport=tcp") {
		return netip.AddrPort{}, false
	}
	hostport, _, _ = strings.Cut(hostport, "?")
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), strconv.Itoa(stunPort)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	addr := p.prefer(ctx, addressesOf(ctx, p.Resolver, "http://"+net.JoinHostPort(host, port)))
	return netip.AddrPortFrom(addr, uint16(number)), addr.IsValid()
}

// prefer selects among the addresses that have a route; if none has, among all.
func (p path) prefer(ctx context.Context, addrs []netip.Addr) netip.Addr {
	reachable := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		_, err := p.Toward(ctx, a)
		return err != nil
	})
	if a := preferIPv4(reachable); a.IsValid() {
		return a
	}
	return preferIPv4(addrs)
}

// preferIPv4 selects the family for which more routers answer.
func preferIPv4(addrs []netip.Addr) (found netip.Addr) {
	for _, a := range addrs {
		switch {
		case a.IsUnspecified():
		case a.Is4():
			return a
		case !found.IsValid():
			found = a
		}
	}
	return found
}

// carrierGrade is the shared address space for carrier-grade NAT (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isOutside reports whether an address does not belong to the network of a home or an office.
func isOutside(a netip.Addr) bool { return isPublic(a) || carrierGrade.Contains(a) }

func isPublic(a netip.Addr) bool {
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !carrierGrade.Contains(a)
}

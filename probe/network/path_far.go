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

// farEnds are the machines the path leads to, as far as their addresses are known.
type farEnds struct {
	server    netip.Addr     // the conference server
	collector netip.Addr     // the collector's web server
	stun      netip.AddrPort // the collector's STUN server, as the collector told
	// elsewhere is looked at where none of them is known.
	elsewhere netip.Addr
	// onlyHere is true where all of them are this computer itself.
	onlyHere bool
}

// locateWait bounds the names and the question for the ICE servers together: on
// a line that is down, all of them hang.
const locateWait = 2500 * time.Millisecond

// locate finds the addresses of the far ends. This computer itself is at the
// end of no path.
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
		far.server = netip.Addr{} // one machine is both: one end of the path is enough
	}
	return far
}

func (f farEnds) isKnown() bool {
	return f.server.IsValid() || f.collector.IsValid() || f.stun.IsValid()
}

// toward is the address to which the way is looked at. Where no name could be
// looked up it is one for documentation (RFC 5737, RFC 3849): packets to it go out
// only with a time to live that ends at the first routers.
func (f farEnds) toward() netip.Addr {
	for _, a := range []netip.Addr{f.server, f.stun.Addr(), f.collector} {
		if a.IsValid() {
			return a
		}
	}
	return f.elsewhere
}

// ownAddresses tells addresses of this computer from others.
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

// stunPort is where a STUN server listens unless it says otherwise (RFC 8489 §18.6).
const stunPort = 3478

// stunServer is the address of the collector's STUN server over UDP.
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

// stunAddress reads stun:host[:port] (RFC 7064) and looks the host up.
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

// prefer chooses among the addresses to which a way leads; where none leads to any,
// among all of them.
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

// preferIPv4 chooses the address of which more routers on the way answer.
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

// carrierGrade is the shared address space of providers (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isOutside says that an address is none of a home's or an office's own.
func isOutside(a netip.Addr) bool { return isPublic(a) || carrierGrade.Contains(a) }

func isPublic(a netip.Addr) bool {
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !carrierGrade.Contains(a)
}

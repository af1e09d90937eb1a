package lookup

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// STUNPort is the default port of a STUN server (RFC 8489 §18.6).
const STUNPort = 3478

// STUNServer returns the address of the collector's first STUN server over UDP;
// an invalid one if it has none. ice returns the collector's servers, and is nil
// without a collector. choose selects among several addresses.
func STUNServer(ctx context.Context, ice func(context.Context) (wire.ICEConfig, error), r Resolver, choose func(context.Context, []netip.Addr) netip.Addr) (netip.AddrPort, error) {
	if ice == nil {
		return netip.AddrPort{}, nil
	}
	config, err := ice(ctx)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, s := range config.ICEServers {
		for _, u := range s.URLs {
			host, port, ok := stunAddress(u)
			if !ok {
				continue
			}
			if addr := choose(ctx, AddressesOf(ctx, r, "http://"+net.JoinHostPort(host, strconv.Itoa(int(port))))); addr.IsValid() {
				return netip.AddrPortFrom(addr, port), nil
			}
		}
	}
	return netip.AddrPort{}, nil
}

// stunAddress parses stun:host[:port] (RFC 7064).
func stunAddress(raw string) (host string, port uint16, ok bool) {
	hostport, ok := strings.CutPrefix(raw, "stun:")
	if !ok || strings.Contains(hostport, "?transport=tcp") {
		return "", 0, false
	}
	hostport, _, _ = strings.Cut(hostport, "?")
	host, text, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), STUNPort, true
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(number), err == nil
}

package adapter

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// route is an entry of the kernel's routing table.
type route struct {
	device  string
	prefix  netip.Prefix
	gateway netip.Addr // invalid for a neighbour
	metric  uint64
}

// gatewayFrom returns the gateway of the most specific route of a device, with the lowest metric among equals.
func gatewayFrom(routes []route, device string, to netip.Addr) netip.Addr {
	var best *route
	for i, r := range routes {
		if r.device != device || !r.prefix.Contains(to) {
			continue
		}
		if best == nil || r.prefix.Bits() > best.prefix.Bits() ||
			r.prefix.Bits() == best.prefix.Bits() && r.metric < best.metric {
			best = &routes[i]
		}
	}
	if best == nil {
		return netip.Addr{}
	}
	if best.gateway.IsLinkLocalUnicast() {
		return best.gateway.WithZone(device)
	}
	return best.gateway
}

// Flags of a route (linux/route.h).
const (
	flagUp      = 0x1
	flagGateway = 0x2
	flagReject  = 0x200
)

// parseRoutes4 reads /proc/net/route: device, destination, gateway, flags,
// three counters, mask, … The addresses are hexadecimal in the byte order of
// this machine.
func parseRoutes4(table string) (routes []route) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		destination, err1 := strconv.ParseUint(f[1], 16, 32)
		gateway, err2 := strconv.ParseUint(f[2], 16, 32)
		flags, err3 := strconv.ParseUint(f[3], 16, 32)
		metric, err4 := strconv.ParseUint(f[6], 10, 32)
		mask, err5 := strconv.ParseUint(f[7], 16, 32)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || err5 != nil || flags&flagUp == 0 || flags&flagReject != 0 {
			continue
		}
		r := route{device: f[0], metric: metric}
		r.prefix = netip.PrefixFrom(addr4(uint32(destination)), bits.OnesCount32(uint32(mask)))
		if flags&flagGateway != 0 {
			r.gateway = addr4(uint32(gateway))
		}
		routes = append(routes, r)
	}
	return routes
}

func addr4(v uint32) netip.Addr {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

// parseRoutes6 reads /proc/net/ipv6_route: destination, its length, source, its
// length, next hop, metric, two counters, flags, device; all hexadecimal.
func parseRoutes6(table string) (routes []route) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 {
			continue
		}
		destination, ok1 := addr6(f[0])
		next, ok2 := addr6(f[4])
		length, err1 := strconv.ParseUint(f[1], 16, 8)
		metric, err2 := strconv.ParseUint(f[5], 16, 32)
		flags, err3 := strconv.ParseUint(f[8], 16, 32)
		if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil || length > 128 || flags&flagUp == 0 || flags&flagReject != 0 {
			continue
		}
		r := route{device: f[9], prefix: netip.PrefixFrom(destination, int(length)), metric: metric}
		if flags&flagGateway != 0 {
			r.gateway = next
		}
		routes = append(routes, r)
	}
	return routes
}

func addr6(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(b)), true
}

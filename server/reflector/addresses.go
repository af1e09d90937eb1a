package reflector

import (
	"net"
	"net/netip"
	"slices"
	"time"
)

// localAddresses returns the current addresses of this machine's interfaces, the ones that
// others can reach first: the first one is displayed. Link-local addresses are excluded,
// because they need a zone, which a candidate cannot contain (RFC 8839 §5.1).
func localAddresses() ([]netip.Addr, error) {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	for _, a := range interfaces {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if !ip.IsLinkLocalUnicast() && !ip.IsMulticast() {
			ips = append(ips, ip)
		}
	}
	slices.SortStableFunc(ips, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return slices.Compact(ips), nil
}

func rank(ip netip.Addr) int {
	n := 0
	if ip.IsLoopback() {
		n += 2
	}
	if !ip.Is4() {
		n++
	}
	return n
}

// has reports whether this machine has ip. All of 127.0.0.0/8 is available, although no
// interface lists it.
func has(present []netip.Addr, ip netip.Addr) bool {
	return ip.Is4() && ip.IsLoopback() || slices.Contains(present, ip)
}

// addressesEvery is the interval at which the addresses are read.
const addressesEvery = time.Second

// follow updates the sockets to the addresses of this machine until the reflector is closed.
// It polls once a second: a collector that starts at boot serves an address a second after it
// appears, and reading the addresses takes about 50 µs.
func (r *Reflector) follow(present []netip.Addr) {
	tick := time.NewTicker(addressesEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.running.Done():
			return
		case <-tick.C:
		}
		now, err := r.cfg.Addresses()
		if err != nil {
			r.cfg.Log.Warn("the addresses of this machine cannot be read", "err", err)
			continue
		}
		if !slices.Equal(now, present) {
			r.cfg.Log.Info("the addresses of this machine have changed", "addresses", now)
			present = now
		}
		// Also without a change: an IPv6 address cannot be bound before duplicate address
		// detection has finished (RFC 4862 §5.4).
		r.media.follow(present)
		r.relay.follow(present)
	}
}

package report

import "net/netip"

// Number of bits of a public address that are kept: they identify the provider and the
// region, but not the household.
const (
	keptBitsIPv4 = 24
	keptBitsIPv6 = 48
)

// Truncate returns the network of addr, such as "203.0.113.0/24" or "2001:db8:1::/48".
// An IPv4 address inside an IPv6 one is truncated as IPv4; a zone, which names an
// interface of this machine, is dropped. The result for the zero Addr is "".
func Truncate(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	bits := keptBitsIPv6
	if addr.Is4() {
		bits = keptBitsIPv4
	}
	if !addr.IsValid() {
		return ""
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}

// truncateText is Truncate for the text of a report field: an address or an already
// truncated network, which never gets more bits.
func truncateText(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil {
		return Truncate(p.Addr())
	}
	addr, _ := netip.ParseAddr(s)
	return Truncate(addr)
}

// isAddressText reports whether s is an IP address or a network.
func isAddressText(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}

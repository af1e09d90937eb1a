package report

import "net/netip"

// Bits of a public address that are kept: enough to tell the provider and the
// region, too few to tell the household.
const (
	keptBitsIPv4 = 24
	keptBitsIPv6 = 48
)

// Truncate is the network addr lies in, such as "203.0.113.0/24" or
// "2001:db8:1::/48". An IPv4 address inside an IPv6 one is cut as IPv4; a zone,
// which names an interface of this machine, is dropped. The zero Addr gives "".
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

// truncateText is Truncate for the text of a report field: an address or an
// already truncated network, which is never widened beyond the kept bits.
func truncateText(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil {
		return Truncate(p.Addr())
	}
	addr, _ := netip.ParseAddr(s)
	return Truncate(addr)
}

// isAddressText says whether s is an IP address or a network of addresses.
func isAddressText(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}

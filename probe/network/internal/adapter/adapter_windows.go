package adapter

import (
	"net"
	"net/netip"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Types of interfaces (ipifcons.h).
const (
	ifEthernet    = 6
	ifPPP         = 23
	ifPropVirtual = 53 // wintun, as WireGuard uses it
	ifWiFi        = 71
	ifTunnel      = 131
	ifWWANPP      = 243
	ifWWANPP2     = 244
)

// describe calls GetAdaptersAddresses, which needs no privileges.
func describe(a *Adapter, i net.Interface, to netip.Addr) {
	row := rowOf(i.Index)
	if row == nil {
		return
	}
	a.Kind = kindOf(row)
	a.GatewayKnown = true
	if !isNeighbour(row, to) {
		a.Gateway = firstGateway(row, to.Is6())
	}
	if a.Gateway.Is6() && a.Gateway.IsLinkLocalUnicast() {
		a.Gateway = a.Gateway.WithZone(i.Name)
	}
	if row.Mtu > 0 && row.Mtu < 1<<20 {
		a.MTU = int(row.Mtu)
	}
	if row.TransmitLinkSpeed > 0 && row.TransmitLinkSpeed != ^uint64(0) {
		a.RateMbps = new(float64(row.TransmitLinkSpeed) / 1e6)
	}
	if a.Kind != WiFi {
		return
	}
	if guid, err := windows.GUIDFromString(windows.BytePtrToString(row.AdapterName)); err == nil {
		a.SignalDBM = signalOf(&guid)
	}
}

// kindOf recognises tunnels that are presented as Ethernet by the names of their drivers.
func kindOf(row *windows.IpAdapterAddresses) Kind {
	switch row.IfType {
	case ifWiFi:
		return WiFi
	case ifWWANPP, ifWWANPP2:
		return Cellular
	case ifTunnel, ifPPP, ifPropVirtual:
		return VPN
	case ifEthernet:
		driver := strings.ToLower(windows.UTF16PtrToString(row.Description))
		for _, word := range []string{"tap-", "vpn", "anyconnect", "fortinet", "fortissl", "pangp", "wireguard", "wintun", "zerotier", "tailscale", "juniper", "sonicwall"} {
			if strings.Contains(driver, word) {
				return VPN
			}
		}
		return Ethernet
	}
	return ""
}

// rowOf returns the entry of an interface in the system's list.
func rowOf(index int) *windows.IpAdapterAddresses {
	const flags = windows.GAA_FLAG_INCLUDE_GATEWAYS | windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST
	size := uint32(16 << 10)
	for range 4 { // the list may grow between two calls
		rows := make([]uint64, size/8+1) // aligned for the pointers inside
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&rows[0]))
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, flags, 0, first, &size)
		if err == windows.ERROR_BUFFER_OVERFLOW {
			continue
		}
		if err != nil {
			return nil
		}
		for row := first; row != nil; row = row.Next {
			if int(row.IfIndex) == index || int(row.Ipv6IfIndex) == index {
				return row
			}
		}
		return nil
	}
	return nil
}

// isNeighbour reports whether an address is on the interface's network, so that no router is needed.
func isNeighbour(row *windows.IpAdapterAddresses, to netip.Addr) bool {
	for u := row.FirstUnicastAddress; u != nil; u = u.Next {
		own, ok := netip.AddrFromSlice(u.Address.IP())
		if !ok {
			continue
		}
		if net, err := own.Unmap().Prefix(int(u.OnLinkPrefixLength)); err == nil && net.Contains(to.WithZone("")) {
			return true
		}
	}
	return false
}

func firstGateway(row *windows.IpAdapterAddresses, ipv6 bool) netip.Addr {
	for g := row.FirstGatewayAddress; g != nil; g = g.Next {
		addr, ok := netip.AddrFromSlice(g.Address.IP())
		if addr = addr.Unmap(); ok && addr.Is6() == ipv6 {
			return addr
		}
	}
	return netip.Addr{}
}

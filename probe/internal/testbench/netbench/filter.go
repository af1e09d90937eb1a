package netbench

import (
	"fmt"
	"strconv"
	"strings"
)

// filter is a list of packet kinds.
type filter []kind

// kind is a protocol with a range of server ports; protocol 0 means all.
type kind struct {
	protocol byte
	low      uint16
	high     uint16
	only6    bool // IPv6 only
}

func parseFilter(names []string) (filter, error) {
	protocols := map[string]byte{"all": 0, "ipv6": 0, "udp": protoUDP, "tcp": protoTCP, "icmp": protoICMP}
	var f filter
	for _, name := range names {
		what, ports, havePorts := strings.Cut(name, "/")
		p, ok := protocols[what]
		if !ok || havePorts && p != protoUDP && p != protoTCP {
			return nil, fmt.Errorf("filter %q: want all, ipv6, icmp, udp, tcp, udp/3478 or tcp/1024-65535", name)
		}
		k := kind{protocol: p, high: 65535, only6: what == "ipv6"}
		if havePorts {
			from, to, isRange := strings.Cut(ports, "-")
			if !isRange {
				to = from
			}
			low, err1 := strconv.ParseUint(from, 10, 16)
			high, err2 := strconv.ParseUint(to, 10, 16)
			if err1 != nil || err2 != nil || low > high {
				return nil, fmt.Errorf("filter %q: %q is not a port or a range of ports", name, ports)
			}
			k.low, k.high = uint16(low), uint16(high)
		}
		f = append(f, k)
	}
	return f, nil
}

func (f filter) matches(p packet, serverPort uint16) bool {
	protocol := p.protocol()
	if protocol == protoICMPv6 {
		protocol = protoICMP
	}
	for _, k := range f {
		switch {
		case k.only6 && !p.is6():
		case k.protocol == 0, k.protocol == protocol && k.low <= serverPort && serverPort <= k.high:
			return true
		}
	}
	return false
}

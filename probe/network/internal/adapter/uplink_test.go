package adapter

import (
	"net/netip"
	"testing"
)

func TestWhyNoRoute(t *testing.T) {
	addrs := func(all ...string) (out []netip.Addr) {
		for _, a := range all {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	loopback := port{loopback: true, connected: true, addrs: addrs("127.0.0.1", "::1")}
	for name, c := range map[string]struct {
		ports []port
		want  Uplink
	}{
		"airplane mode":                              {[]port{loopback, {}}, NoLink},
		"no interface at all":                        {[]port{loopback}, NoLink},
		"cable pulled, address kept":                 {[]port{loopback, {addrs: addrs("192.0.2.7")}}, NoLink},
		"switch without DHCP":                        {[]port{loopback, {connected: true}}, NoAddress},
		"the same with a link-local IPv6 address":    {[]port{loopback, {connected: true, addrs: addrs("fe80::1")}}, NoAddress},
		"DHCP gave nothing":                          {[]port{loopback, {connected: true, addrs: addrs("fe80::1", "169.254.7.9")}}, SelfAssigned},
		"the last address of that range":             {[]port{{connected: true, addrs: addrs("169.254.255.254")}}, SelfAssigned},
		"the first address after that range":         {[]port{{connected: true, addrs: addrs("169.255.0.1")}}, NoRoute},
		"an address but no route":                    {[]port{loopback, {connected: true, addrs: addrs("192.168.178.20")}}, NoRoute},
		"a unique local address":                     {[]port{{connected: true, addrs: addrs("fd00::20")}}, NoAddress},
		"Wi-Fi self-assigned, docker down":           {[]port{{connected: true, addrs: addrs("169.254.7.9")}, {addrs: addrs("172.17.0.1")}}, SelfAssigned},
		"one interface without, one with an address": {[]port{{connected: true}, {connected: true, addrs: addrs("10.0.0.2")}}, NoRoute},
		"one interface with an address, one without": {[]port{{connected: true, addrs: addrs("10.0.0.2")}, {connected: true}}, NoRoute},
		"self-assigned after an address":             {[]port{{connected: true, addrs: addrs("10.0.0.2")}, {connected: true, addrs: addrs("169.254.1.1")}}, NoRoute},
		"a bridge without a cable, IPv6 too":         {[]port{{addrs: addrs("fe80::1", "169.254.7.9")}, {connected: true}}, NoAddress},
	} {
		if got := whyNoRoute(c.ports); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

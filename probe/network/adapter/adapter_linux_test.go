package adapter

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
)

func TestSignalOf(t *testing.T) {
	const heading = "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n" +
		" face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
	for line, want := range map[string]float64{
		" wlp3s0: 0000   46.  -64.  -256        0      0      0      0     25        0\n": -64,
		" wlp3s0: 0000   46.  192.  -256        0      0      0      0     25        0\n": -64,
		"wlp3s0: 0000 46. -64 -256\n":                 -64,
		" wlp3s0: 0000    0.  -256.  -256  0 0 0\n":   0,
		" wlp3s0: 0000   46.   40.     0   0 0 0\n":   0,
		" wlp3s01: 0000   46.  -64.  -256  0 0 0\n":   0,
		" wlp3s0: 0000   46.  nonsense  -256  0 0 \n": 0,
		"": 0,
	} {
		got := signalOf(heading+line, "wlp3s0")
		if (got == nil) != (want == 0) || got != nil && *got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

// hex4 is how the kernel writes an address into /proc/net/route here.
func hex4(s string) string {
	b := netip.MustParseAddr(s).As4()
	return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[:]))
}

func TestGateway4(t *testing.T) {
	row := func(device, to, via, flags, metric, mask string) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t0\t0\t%s\t%s\t0\t0\t0\n", device, hex4(to), hex4(via), flags, metric, hex4(mask))
	}
	table := "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
		row("wlan0", "0.0.0.0", "192.168.1.254", "0003", "600", "0.0.0.0") +
		row("wlan0", "0.0.0.0", "192.168.1.1", "0003", "100", "0.0.0.0") +
		row("eth0", "0.0.0.0", "10.0.0.1", "0003", "10", "0.0.0.0") +
		row("wlan0", "192.168.1.0", "0.0.0.0", "0001", "600", "255.255.255.0") +
		row("wlan0", "198.51.100.0", "192.168.1.9", "0003", "600", "255.255.255.0") +
		row("wlan0", "203.0.113.0", "192.168.1.9", "0203", "600", "255.255.255.0")
	for to, want := range map[string]string{
		"192.0.2.1": "192.168.1.1", "198.51.100.4": "192.168.1.9", "192.168.1.7": "", "203.0.113.4": "192.168.1.1",
	} {
		got := gatewayFrom(parseRoutes4(table), "wlan0", netip.MustParseAddr(to))
		if want == "" && got.IsValid() || want != "" && got != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
}

func TestGateway6(t *testing.T) {
	const table = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000021122fffe334455 00000400 00000001 00000000 00450003    wlan0\n" +
		"20010db8000100000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001    wlan0\n" +
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
	got := gatewayFrom(parseRoutes6(table), "wlan0", netip.MustParseAddr("2001:db8:2::1"))
	if got != netip.MustParseAddr("fe80::211:22ff:fe33:4455%wlan0") {
		t.Errorf("got %v", got)
	}
	if got := gatewayFrom(parseRoutes6(table), "wlan0", netip.MustParseAddr("2001:db8:1::7")); got.IsValid() {
		t.Errorf("a neighbour has the gateway %v", got)
	}
}

func FuzzRoutes(f *testing.F) {
	f.Add("wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0\n")
	f.Add("00000000000000000000000000000000 00 0 00 fe800000000000000211 0 0 0 3 wlan0\n")
	f.Fuzz(func(t *testing.T, table string) {
		for _, to := range []string{"192.0.2.1", "2001:db8::1"} {
			to := netip.MustParseAddr(to)
			routes := parseRoutes4(table)
			if to.Is6() {
				routes = parseRoutes6(table)
			}
			if g := gatewayFrom(routes, "wlan0", to); g.IsValid() && g.Is6() != to.Is6() {
				t.Errorf("gateway %v for %v", g, to)
			}
		}
	})
}

func TestTunnelNames(t *testing.T) {
	for name, want := range map[string]bool{
		"tun0": true, "tap1": true, "wg0": true, "ppp0": true, "utun4": true, "tailscale0": true,
		"eth0": false, "enp3s0": false, "wlan0": false, "wlp2s0": false, "en0": false, "WLAN": false, "Ethernet": false,
	} {
		if isTunnelName(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

package adapter

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

func TestGatewayFrom(t *testing.T) {
	wlan := net.Interface{Index: 3, Name: "wlan0"}
	ip := func(s string) net.IP { return netip.MustParseAddr(s).AsSlice() }
	answer := func(a rtnetlink.RouteAttributes) []rtnetlink.RouteMessage {
		return []rtnetlink.RouteMessage{{Attributes: a}}
	}
	for name, c := range map[string]struct {
		answers []rtnetlink.RouteMessage
		want    string
		known   bool
	}{
		"a router":                  {answer(rtnetlink.RouteAttributes{OutIface: 3, Gateway: ip("192.168.1.1")}), "192.168.1.1", true},
		"a neighbour":               {answer(rtnetlink.RouteAttributes{OutIface: 3}), "", true},
		"link-local":                {answer(rtnetlink.RouteAttributes{OutIface: 3, Gateway: ip("fe80::1")}), "fe80::1%wlan0", true},
		"IPv4 through IPv6":         {answer(rtnetlink.RouteAttributes{OutIface: 3, Via: &rtnetlink.RouteVia{Addr: ip("fe80::1")}}), "fe80::1%wlan0", true},
		"through another interface": {answer(rtnetlink.RouteAttributes{OutIface: 2, Gateway: ip("192.168.1.1")}), "", false},
		"no answer":                 {nil, "", false},
		"a truncated address":       {answer(rtnetlink.RouteAttributes{OutIface: 3, Gateway: net.IP{192, 168}}), "", false},
	} {
		got, known := gatewayFrom(c.answers, wlan)
		if known != c.known || got.IsValid() != (c.want != "") || got.IsValid() && got.String() != c.want {
			t.Errorf("%s: got %v, known %t; want %q, %t", name, got, known, c.want, c.known)
		}
	}
}

// TestGatewayOfTheKernel queries a kernel with known routes: more specific ones,
// metrics, and a table selected by a rule, as configured by VPN programs and on
// systems with two providers.
func TestGatewayOfTheKernel(t *testing.T) {
	ns := fmt.Sprintf("tpadapter%d", os.Getpid())
	ip := func(command string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Split(command, " ")...).CombinedOutput(); err != nil {
			need.Lack(t, "network namespaces", fmt.Errorf("ip %s: %w: %s", command, err, out))
		}
	}
	need.Root(t, "network namespaces")
	ip("netns add " + ns)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	for _, command := range []string{
		"link set lo up",
		"link add wlan0 type veth peer name far0", "link set wlan0 up", "link set far0 up",
		"addr add 192.168.1.2/24 dev wlan0", "addr add 2001:db8:1::2/64 dev wlan0 nodad",
		"route add default via 192.168.1.254 metric 600", "route add default via 192.168.1.1 metric 100",
		"route add 198.51.100.0/24 via 192.168.1.9",
		"-6 route add default via fe80::1 dev wlan0",
		"route add default via 192.168.1.77 table 100", "rule add to 203.0.113.0/24 lookup 100",
	} {
		ip("-n " + ns + " " + command)
	}
	f, err := os.Open(filepath.Join("/var/run/netns", ns))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	c, err := rtnetlink.Dial(&netlink.Config{NetNS: int(f.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	links, err := c.Link.List()
	if err != nil {
		t.Fatal(err)
	}
	wlan := net.Interface{Name: "wlan0"}
	for _, l := range links {
		if l.Attributes.Name == wlan.Name {
			wlan.Index = int(l.Index)
		}
	}
	for to, want := range map[string]string{
		"192.0.2.1": "192.168.1.1", "198.51.100.4": "192.168.1.9", "192.168.1.7": "", "203.0.113.4": "192.168.1.77",
		"2001:db8:2::1": "fe80::1%wlan0", "2001:db8:1::7": "",
	} {
		got, known := askGateway(c, wlan, netip.MustParseAddr(to))
		if !known || got.IsValid() != (want != "") || got.IsValid() && got.String() != want {
			t.Errorf("%s: got %v, known %t; want %q, true", to, got, known, want)
		}
	}
	if _, known := askGateway(c, net.Interface{Index: wlan.Index + 1000}, netip.MustParseAddr("192.0.2.1")); known {
		t.Error("got a route through another interface")
	}
}

package lookup

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"
)

func TestNetLooksUpNames(t *testing.T) {
	inner, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	n := Net{Net: inner, Resolver: fixed{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")}, Timeout: time.Second}
	for _, c := range []struct{ network, address, want string }{
		{"udp", "a.example:3478", "192.0.2.1:3478"},
		{"udp4", "a.example:3478", "192.0.2.1:3478"},
		{"udp6", "a.example:3478", "[2001:db8::1]:3478"},
		{"udp", "192.0.2.9:3478", "192.0.2.9:3478"},
		{"udp", ":3478", ":3478"},
		{"udp6", "192.0.2.9:3478", ""},
		{"udp", "a.example:70000", ""},
		{"udp", "a.example", ""},
	} {
		got := ""
		if a, err := n.ResolveUDPAddr(c.network, c.address); err == nil {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.network, c.address, got, c.want)
		}
	}
	four := Net{Net: inner, Resolver: fixed{netip.MustParseAddr("192.0.2.1")}, Timeout: time.Second}
	if a, err := four.ResolveTCPAddr("tcp6", "a.example:1"); err == nil {
		t.Errorf("%v is not an IPv6 address", a)
	}
	if a, err := four.ResolveIPAddr("ip4", "a.example"); err != nil || a.String() != "192.0.2.1" {
		t.Errorf("got %v, error %v; want 192.0.2.1", a, err)
	}
}

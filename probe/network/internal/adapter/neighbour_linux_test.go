package adapter

import (
	"net/netip"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

func TestAbsentNeighbours(t *testing.T) {
	const wlan, eth = 3, 2
	entry := func(index uint32, state uint16, address string) rtnetlink.NeighMessage {
		return rtnetlink.NeighMessage{Index: index, State: state, Attributes: &rtnetlink.NeighAttributes{Address: netip.MustParseAddr(address).AsSlice()}}
	}
	all := []rtnetlink.NeighMessage{
		entry(wlan, unix.NUD_FAILED, "192.168.178.1"),
		entry(wlan, unix.NUD_STALE, "192.168.178.2"),
		entry(wlan, unix.NUD_INCOMPLETE, "192.168.178.3"),
		entry(eth, unix.NUD_REACHABLE, "192.168.178.3"),
		entry(wlan, unix.NUD_NOARP, "192.168.178.4"),
		entry(wlan, unix.NUD_INCOMPLETE, "192.168.178.5"),
		entry(wlan, unix.NUD_FAILED, "fe80::1"),
		entry(eth, unix.NUD_REACHABLE, "fe80::1"),
		{Index: wlan, State: unix.NUD_FAILED},
	}
	for _, c := range []struct {
		address string
		index   uint32
		want    bool
	}{
		{"192.168.178.1", 0, true}, {"192.168.178.2", 0, false}, {"192.168.178.3", 0, false}, {"192.168.178.4", 0, false},
		{"192.168.178.5", 0, true}, {"192.168.178.9", 0, false},
		{"fe80::1%wlan0", wlan, true}, {"fe80::1%eth0", eth, false}, {"fe80::2%wlan0", wlan, false},
	} {
		if got := isAbsentFrom(all, netip.MustParseAddr(c.address), c.index); got != c.want {
			t.Errorf("%s: got absent %t, want %t", c.address, got, c.want)
		}
	}
	if IsAbsent(netip.MustParseAddr("127.0.0.1")) {
		t.Error("this computer was reported as absent")
	}
}

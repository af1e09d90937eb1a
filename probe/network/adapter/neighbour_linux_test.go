package adapter

import (
	"net/netip"
	"testing"
)

func TestAbsentNeighbours(t *testing.T) {
	const table = "IP address       HW type     Flags       HW address            Mask     Device\n" +
		"192.168.178.1    0x1         0x0         00:00:00:00:00:00     *        wlan0\n" +
		"192.168.178.2    0x1         0x2         02:00:00:00:00:02     *        wlan0\n" +
		"192.168.178.3    0x1         0x0         00:00:00:00:00:00     *        wlan0\n" +
		"192.168.178.3    0x1         0x6         02:00:00:00:00:03     *        eth0\n" +
		"192.168.178.4    0x1         nonsense    00:00:00:00:00:00     *        wlan0\n"
	for addr, want := range map[string]bool{
		"192.168.178.1": true, "192.168.178.2": false, "192.168.178.3": false, "192.168.178.4": false, "192.168.178.9": false, "fe80::1": false,
	} {
		if got := isAbsentFrom(table, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %t, want %t", addr, got, want)
		}
	}
}

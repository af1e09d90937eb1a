package bind

import (
	"net/netip"
	"runtime"
	"testing"
)

// TestAddressAssignedLater: the address is from RFC 5737 and assigned to no
// machine.
func TestAddressAssignedLater(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux binds an address that it does not have")
	}
	for _, host := range []string{"192.0.2.77", "2001:db8::77"} {
		l, err := TCP(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(host), 0).String())
		if err != nil {
			t.Errorf("listen: %v", err)
			continue
		}
		_ = l.Close()
		c, err := UDP(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(host), 0))
		if err != nil {
			t.Errorf("listen: %v", err)
			continue
		}
		_ = c.Close()
	}
}

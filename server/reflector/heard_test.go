package reflector

import (
	"net/netip"
	"testing"
	"time"
)

// TestHeard: only requests of other machines prove that the reflector is reachable.
func TestHeard(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	h := newHeard(func() time.Time { return now })
	own := netip.MustParseAddr("192.0.2.7")
	h.setOwn([]netip.Addr{own})
	for _, a := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7", "::ffff:192.0.2.7",
		"172.17.0.1", "192.168.1.9", "::ffff:10.0.0.4", "fd00::9", "fe80::9", "169.254.3.4"} {
		h.from(netip.MustParseAddr(a))
		if got := h.ago(); got != nil {
			t.Errorf("%s: got %d ms, want nil", a, *got)
		}
	}
	h.from(netip.MustParseAddr("198.51.100.9"))
	now = now.Add(90 * time.Second)
	if got := h.ago(); got == nil || *got != 90_000 {
		t.Errorf("got %v, want 90000", got)
	}
	now = now.Add(-time.Hour) // the clock was set back
	if got := h.ago(); got == nil || *got != 0 {
		t.Errorf("got %v after the clock was set back, want 0", got)
	}
}

package limit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestLimiterRefillsByItsClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	l := New(10*time.Second, 3, 10, func() time.Time { return now })
	for i := range 3 {
		if _, ok := l.Allow("a"); !ok {
			t.Fatalf("call %d refused", i)
		}
	}
	for range 5 { // repeated requests must not extend the wait
		if wait, ok := l.Allow("a"); ok || wait != 10*time.Second {
			t.Fatalf("got allowed %v, wait %v; want refused for 10s", ok, wait)
		}
	}
	if _, ok := l.Allow("b"); !ok {
		t.Error("another key was refused")
	}
	now = now.Add(10 * time.Second)
	if _, ok := l.Allow("a"); !ok {
		t.Error("refused after the refill")
	}
	if _, ok := l.Allow("a"); ok {
		t.Error("one refill allowed two calls")
	}
	l.Forget("a")
	if _, ok := l.Allow("a"); !ok {
		t.Error("refused after Forget")
	}
}

func TestLimiterForgetsTheQuietestKey(t *testing.T) {
	now := time.Unix(0, 0)
	l := New(time.Hour, 1, 3, func() time.Time { return now })
	l.Allow("kept")
	for i := range 1000 {
		l.Allow(fmt.Sprint("forged ", i))
		if _, ok := l.Allow("kept"); ok {
			t.Fatal("a key in use was forgotten")
		}
	}
	if n := len(l.byKey); n != 3 {
		t.Errorf("got %d keys, want 3", n)
	}
}

func TestAddressKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":           "192.0.2.7",
		"::ffff:192.0.2.7":    "192.0.2.7",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::/64",
		"fe80::1%eth0":        "fe80::/64",
		"2001:db8:1:2:ff::99": "2001:db8:1:2::/64",
	} {
		if got := AddressKey(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if got := AddressKey(netip.Addr{}); got == "" {
		t.Error("got no key for an unknown address")
	}
}

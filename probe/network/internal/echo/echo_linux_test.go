package echo

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAskLoopback(t *testing.T) {
	for _, to := range []string{"127.0.0.1", "::1"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		r, err := System().Ask(ctx, netip.MustParseAddr(to), 0)
		cancel()
		if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
			t.Logf("%s: not available on this machine", to)
			continue
		}
		if err != nil || r.Kind != Reached || r.From != netip.MustParseAddr(to) || r.RTT <= 0 {
			t.Errorf("%s: got %+v, error %v; want it reached", to, r, err)
		}
	}
}

func TestParseExtendedError(t *testing.T) {
	v4 := func(origin, kind byte) []byte {
		b := make([]byte, 32)
		b[4], b[5] = origin, kind
		binary.NativeEndian.PutUint16(b[16:], unix.AF_INET)
		copy(b[20:], []byte{192, 0, 2, 7})
		return b
	}
	v6 := make([]byte, 44)
	v6[4], v6[5] = originICMP6, 3
	binary.NativeEndian.PutUint16(v6[16:], unix.AF_INET6)
	from6 := netip.MustParseAddr("2001:db8::7").As16()
	copy(v6[24:], from6[:])
	for name, c := range map[string]struct {
		b    []byte
		kind Kind
		from string
	}{
		"expired":        {v4(originICMP, 11), Expired, "192.0.2.7"},
		"unreachable":    {v4(originICMP, 3), Unreachable, "192.0.2.7"},
		"expired, IPv6":  {v6, Expired, "2001:db8::7"},
		"our own kernel": {v4(1, 11), 0, ""},
		"redirect":       {v4(originICMP, 5), 0, ""},
		"short":          {v4(originICMP, 11)[:20], 0, ""},
		"empty":          {nil, 0, ""},
	} {
		r, ok := parseExtendedError(c.b)
		if ok != (c.kind != 0) || r.Kind != c.kind || ok && r.From != netip.MustParseAddr(c.from) {
			t.Errorf("%s: got %+v, ok %t; want kind %v from %q", name, r, ok, c.kind, c.from)
		}
	}
}

func FuzzParseExtendedError(f *testing.F) {
	f.Add(make([]byte, 44))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := parseExtendedError(b); ok && !r.From.IsValid() {
			t.Errorf("got %+v without a valid sender", r)
		}
	})
}

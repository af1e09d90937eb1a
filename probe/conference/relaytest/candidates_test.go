package relaytest

import (
	"strings"
	"testing"
)

// TestOnlyPrivate: a name may belong to a public address, and what is not understood says nothing.
func TestOnlyPrivate(t *testing.T) {
	line := func(transport, at, rest string) string {
		return "a=candidate:1 1 " + transport + " 1 " + at + " 9 typ " + rest + "\r\n"
	}
	udp := func(at string) string { return line("udp", at, "host") }
	for name, c := range map[string]struct {
		sdp  string
		want bool
	}{
		"none":                         {"v=0\r\n", false},
		"RFC 1918":                     {udp("10.0.0.1") + udp("172.17.0.2") + udp("192.168.1.2"), true},
		"loopback":                     {udp("127.0.0.1") + udp("::1"), true},
		"of a link":                    {udp("169.254.1.1") + udp("fe80::1") + udp("fe80::1%eth0"), true},
		"shared":                       {udp("100.64.0.1"), true},
		"beside the shared ones":       {udp("100.128.0.1"), false},
		"unique local":                 {udp("fc00::1") + udp("fd00::1"), true},
		"IPv4-mapped":                  {udp("::ffff:10.0.0.1"), true},
		"TCP":                          {line("tcp", "10.0.0.1", "host tcptype passive"), true},
		"public TCP":                   {udp("10.0.0.1") + line("tcp", "192.0.2.1", "host tcptype passive"), false},
		"public behind the NAT":        {udp("10.0.0.1") + line("udp", "192.0.2.1", "srflx raddr 10.0.0.1 rport 9"), false},
		"a private base of a relay":    {line("udp", "192.0.2.1", "relay raddr 10.0.0.1 rport 9"), false},
		"public":                       {udp("10.0.0.1") + udp("2001:db8::1"), false},
		"a name of multicast DNS":      {udp("10.0.0.1") + udp("5b0f4c1e.local"), false},
		"unspecified":                  {udp("10.0.0.1") + udp("0.0.0.0"), false},
		"a line that is not a whole":   {udp("10.0.0.1") + "a=candidate:1 1 udp\r\n", false},
		"an address that is no number": {udp("10.0.0.1.2"), false},
	} {
		if got := OnlyPrivate(c.sdp); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
		var separate Candidates
		separate.Add("") // the end of a list
		for text := range strings.Lines(c.sdp) {
			if candidate, ok := strings.CutPrefix(text, "a="); ok {
				separate.Add(candidate)
			}
		}
		if got := separate.OnlyPrivate(); got != c.want {
			t.Errorf("%s, separately: got %t, want %t", name, got, c.want)
		}
	}
}

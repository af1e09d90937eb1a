package media

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestOneRelayPerTransport(t *testing.T) {
	own := []string{"stun:a.example:3478", "turn:a.example:3478?transport=udp", "turn:a.example:3478?transport=tcp"}
	both := slices.Concat(own, []string{"turns:a.example:5349?transport=tcp", "turns:a.example:8443?transport=tcp"})
	for name, c := range map[string]struct {
		urls, want []string
		web        int
	}{
		"the HTTPS port":   {both, slices.Concat(own, both[4:]), 8443},
		"the usual port":   {slices.Concat(own, []string{"turns:a.example", "turns:a.example:443"}), slices.Concat(own, []string{"turns:a.example:443"}), 9443},
		"neither":          {both, slices.Concat(own, both[3:4]), 443},
		"one alone":        {both[:4], both[:4], 443},
		"none":             {own[:1], own[:1], 443},
		"another server's": {slices.Concat(own, []string{"turn:b.example", "turn:b.example:80"}), slices.Concat(own, []string{"turn:b.example"}), 443},
		"invalid URLs":     {[]string{"turn:a:b:c", "turns:a.example:x"}, []string{"turn:a:b:c", "turns:a.example:x"}, 443},
	} {
		in := wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: c.urls[:1]}, {URLs: c.urls[1:], Username: "u", Credential: "c"}}}
		var got []string
		for _, s := range dedupeRelays(in, c.web).ICEServers {
			got = append(got, s.URLs...)
			if len(s.URLs) > 0 && s.URLs[0] != c.urls[0] && s.Username != "u" {
				t.Errorf("%s: the credentials are missing", name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if len(in.ICEServers[0].URLs) != 1 || len(in.ICEServers[1].URLs) != len(c.urls)-1 {
			t.Errorf("%s: the caller's list has changed", name)
		}
	}
}

// FuzzRelayOf checks that each accepted relay has a host and a port.
func FuzzRelayOf(f *testing.F) {
	for _, u := range []string{"turn:a.example", "turns:[2001:db8::1]:443?transport=tcp", "turn:a:b", "turn:", "stun:a", ""} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, u string) {
		transport, host, port, ok := relayOf(u)
		if ok && (transport == "" || host == "" || port < 1 || port > 0xffff) {
			t.Errorf("%q: got %s %q %d, want a transport, a host and a port", u, transport, host, port)
		}
		dedupeRelays(wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{u, u}}}}, 443)
	})
}

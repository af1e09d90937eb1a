package whip

import "testing"

func TestLinks(t *testing.T) {
	list := parseLinks([]string{
		`<stun:stun.example.net>; rel="ice-server"`,
		`<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u;,\"x"; credential="myPassword"; credential-type="password", <https://example.net/>; rel=help`,
		`<turns:turn.example.net>;rel=ice-server;username=u;credential=c`,
		`<turn:turn.example.net>; rel="ice-server"`, // without credentials
		`<turn.example.net>; rel="ice-server"`,      // without a scheme
		`<https://example.net/>; rel="next ice-server"`,
		`nonsense`, `<`, `<x`, `<>; rel="ice-server"`, `<stun:a>; rel`, `<stun:a>; =;;=,`, `<stun:a>; rel="`,
	})
	if len(list.ICEServers) != 3 || list.Bad != 3 {
		t.Fatalf("got %+v, want 3 servers and 3 bad entries", list)
	}
	if s := list.ICEServers[1]; s.URLs[0] != "turn:turn.example.net?transport=udp" || s.Username != `u;,"x` || s.Credential != "myPassword" {
		t.Errorf("got %+v, want the credentials of the header", s)
	}
	if s := list.ICEServers[2]; s.Username != "u" || s.Credential != "c" {
		t.Errorf("got %+v, want the credentials of the header", s)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add(`<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="c"`)
	f.Add(`<stun:a>; rel="ice-server", <stun:b>; rel=ice-server`)
	f.Fuzz(func(t *testing.T, value string) {
		list := parseLinks([]string{value})
		if len(list.ICEServers) > maxServers {
			t.Errorf("%d servers, want at most %d", len(list.ICEServers), maxServers)
		}
		for _, s := range list.ICEServers {
			if len(s.URLs) != 1 || s.URLs[0] == "" {
				t.Errorf("got %+v, want one URL", s)
			}
		}
	})
}

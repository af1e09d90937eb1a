package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestICEConfigIsSpeltLikeRTCConfiguration(t *testing.T) {
	ends := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := ICEConfig{
		ICEServers: []ICEServer{
			{URLs: []string{"stun:probe.example.org:3478"}},
			{URLs: []string{"turn:probe.example.org:3478?transport=udp", "turns:[2001:db8::1]:5349?transport=tcp"},
				Username: "1772366400:agent", Credential: "secret"},
		},
		ExpiresAt: &ends,
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"iceServers":[{"urls":["stun:probe.example.org:3478"]},` +
		`{"urls":["turn:probe.example.org:3478?transport=udp","turns:[2001:db8::1]:5349?transport=tcp"],` +
		`"username":"1772366400:agent","credential":"secret"}],"expires_at":"2026-03-01T12:00:00Z"}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	got, err := ParseICEConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if !got.HasTURN() || got.Expired(ends.Add(-time.Second)) || !got.Expired(ends) {
		t.Errorf("got TURN %t, expired a second before %t, at the end %t; want true, false, true", got.HasTURN(), got.Expired(ends.Add(-time.Second)), got.Expired(ends))
	}
	if plain := (ICEConfig{ICEServers: c.ICEServers[:1]}); plain.HasTURN() || plain.Expired(ends) {
		t.Error("got a relay or an expiry for a STUN server")
	}
}

func TestICEURLs(t *testing.T) {
	for url, good := range map[string]bool{
		"stun:a.example": true, "stuns:a.example:5349": true, "stun:192.0.2.1": true, "stun:[::1]": true, "stun:[::1]:3478": true,
		"turn:a.example?transport=tcp": true,
		"":                             false, "stun": false, "stun:": false, "https://a.example": false, "stun:a:0": false, "stun:a:65536": false,
		"stun:a:x": false, "stun:::1": false, "stun:a?transport=udp": false, "turn:a?transport=sctp": false, "stun:a/../b": false,
		"stun:<script>": false, "stun:[::1": false, "stun:" + strings.Repeat("a", 10_000): false,
	} {
		err := ICEConfig{ICEServers: []ICEServer{{URLs: []string{url}, Username: "u", Credential: "c"}}}.Validate()
		if (err == nil) != good || err != nil && !errors.Is(err, ErrICEConfig) {
			t.Errorf("%.60q: got error %v, want valid=%t", url, err, good)
		}
	}
}

func TestICEConfigRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no urls":             `{"iceServers":[{}]}`,
		"turn without secret": `{"iceServers":[{"urls":["turn:a.example"]}]}`,
		"too many servers":    `{"iceServers":[` + strings.Repeat(`{"urls":["stun:a"]},`, MaxICEServers) + `{"urls":["stun:a"]}]}`,
		"long secret":         `{"iceServers":[{"urls":["turn:a"],"username":"u","credential":"` + strings.Repeat("x", MaxICEFieldBytes+1) + `"}]}`,
		"oversize":            strings.Repeat(" ", MaxICEConfigBytes+1),
		"not json":            "<html>",
	} {
		if _, err := ParseICEConfig([]byte(text)); !errors.Is(err, ErrICEConfig) {
			t.Errorf("%s: got error %v, want ErrICEConfig", name, err)
		}
	}
}

func FuzzParseICEConfig(f *testing.F) {
	f.Add([]byte(`{"iceServers":[{"urls":["stun:a:3478"]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseICEConfig(b); err == nil && c.Validate() != nil {
			t.Errorf("%q was parsed, but is invalid", b)
		}
	})
}

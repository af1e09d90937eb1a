package server

import (
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

var iceNow = time.Unix(1_800_000_000, 0)

func ownICE() wire.ICEConfig {
	return wire.ICEConfig{
		ICEServers: []wire.ICEServer{{URLs: []string{"stun:own.example:3478"}}}, HeardMS: new(int64(1)), AnsweredMS: new(int64(2)),
		ExpiresAt: new(iceNow.Add(time.Hour)),
	}
}

func TestICEServersWithASharedSecret(t *testing.T) {
	e := ICEServers{URLs: []string{"turn:t.example:3478?transport=udp", "stun:s.example"}, Secret: []byte("north")}
	c := e.add(ownICE(), "anna", iceNow)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.ICEServers) != 3 || c.HeardMS == nil || c.AnsweredMS == nil {
		t.Fatalf("got %+v; want ICEServers 3 entries, HeardMS set, AnsweredMS set", c)
	}
	s := c.ICEServers[2]
	user, rest, _ := strings.Cut(s.Username, ":")
	if user != "1800000600" || len(rest) != 16 || strings.Contains(s.Username, "anna") || !c.ExpiresAt.Equal(iceNow.Add(10*time.Minute)) {
		t.Errorf("got %+v, expiry %v; want a pseudonym of 16 characters, valid for ten minutes", s, c.ExpiresAt)
	}
	if other := e.add(ownICE(), "bert", iceNow).ICEServers[2]; other.Username == s.Username {
		t.Error("two agents have the same pseudonym")
	}
	if again := e.add(ownICE(), "anna", iceNow.Add(time.Minute)).ICEServers[2]; !strings.HasSuffix(again.Username, rest) {
		t.Error("the pseudonym of an agent changed")
	}
}

func TestICEServersInPlaceOfOurs(t *testing.T) {
	c := ICEServers{URLs: []string{"turns:t.example:443?transport=tcp"}, Username: "u", Password: "p", Only: true}.add(ownICE(), "anna", iceNow)
	if len(c.ICEServers) != 1 || c.ICEServers[0].Username != "u" || c.ICEServers[0].Credential != "p" || c.ExpiresAt != nil {
		t.Errorf("got %+v; want only the configured server, without an expiry", c)
	}
	if c.HeardMS != nil || c.AnsweredMS != nil {
		t.Error("the state of the reflector is reported for external servers")
	}
}

func TestNoICEServersChangeNothing(t *testing.T) {
	if c := (ICEServers{}).add(ownICE(), "anna", iceNow); len(c.ICEServers) != 1 || c.HeardMS == nil {
		t.Errorf("got %+v, want only our own", c)
	}
}

func TestICEServersAreValidated(t *testing.T) {
	secret := []byte("s")
	many := []string{}
	for _, c := range "abcdefghi" {
		many = append(many, "stun:"+string(c)+".example")
	}
	for name, c := range map[string]struct {
		e    ICEServers
		want string // "" is valid
	}{
		"none":                  {ICEServers{}, ""},
		"stun":                  {ICEServers{URLs: []string{"stun:s.example"}}, ""},
		"secret":                {ICEServers{URLs: []string{"turn:t.example"}, Secret: secret}, ""},
		"static":                {ICEServers{URLs: []string{"turns:t.example:443?transport=tcp"}, Username: "u", Password: "p", Only: true}, ""},
		"IPv6":                  {ICEServers{URLs: []string{"stun:[2001:db8::1]:3478"}}, ""},
		"only, without servers": {ICEServers{Only: true}, "--ice-server"},
		"secret alone":          {ICEServers{Secret: secret}, "--ice-server"},
		"secret for stun":       {ICEServers{URLs: []string{"stun:s.example"}, Secret: secret}, "turn:HOST"},
		"no credentials":        {ICEServers{URLs: []string{"turn:t.example"}}, "--ice-secret-file"},
		"both credentials":      {ICEServers{URLs: []string{"turn:t.example"}, Secret: secret, Username: "u", Password: "p"}, "either"},
		"half of them":          {ICEServers{URLs: []string{"turn:t.example"}, Username: "u"}, "go together"},
		"https":                 {ICEServers{URLs: []string{"https://t.example"}}, "stun:HOST:PORT"},
		"port":                  {ICEServers{URLs: []string{"stun:s.example:70000"}}, "port"},
		"slashes":               {ICEServers{URLs: []string{"stun://s.example"}}, "stun:HOST:PORT"},
		"twice":                 {ICEServers{URLs: []string{"stun:s.example", "stun:s.example"}}, "twice"},
		"DTLS":                  {ICEServers{URLs: []string{"turns:t.example?transport=udp"}, Secret: secret}, "DTLS"},
		"too many":              {ICEServers{URLs: many}, "at most"},
	} {
		err := c.e.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got error %v, want %q", name, err, c.want)
		}
	}
}

package iceserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

var now = time.Unix(1_800_000_000, 0)

func own() wire.ICEConfig {
	return wire.ICEConfig{
		ICEServers: []wire.ICEServer{{URLs: []string{"stun:own.example:3478"}}}, HeardMS: new(int64(1)), AnsweredMS: new(int64(2)),
		ExpiresAt: new(now.Add(time.Hour)),
	}
}

func TestSharedSecret(t *testing.T) {
	e := External{URLs: []string{"turn:t.example:3478?transport=udp", "stun:s.example"}, Secret: []byte("north")}
	c := e.Add(own(), "anna", now)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.ICEServers) != 3 || c.HeardMS == nil || c.AnsweredMS == nil {
		t.Fatalf("%+v", c)
	}
	s := c.ICEServers[2]
	user, rest, _ := strings.Cut(s.Username, ":")
	if user != "1800000600" || len(rest) != 16 || strings.Contains(s.Username, "anna") || !c.ExpiresAt.Equal(now.Add(10*time.Minute)) {
		t.Errorf("%+v, expires %v", s, c.ExpiresAt)
	}
	if other := e.Add(own(), "bert", now).ICEServers[2]; other.Username == s.Username {
		t.Error("two agents are one to the other operator")
	}
	if again := e.Add(own(), "anna", now.Add(time.Minute)).ICEServers[2]; !strings.HasSuffix(again.Username, rest) {
		t.Error("an agent is another one in its next check")
	}
}

func TestOnlyTheirs(t *testing.T) {
	c := External{URLs: []string{"turns:t.example:443?transport=tcp"}, Username: "u", Password: "p", Only: true}.Add(own(), "anna", now)
	if len(c.ICEServers) != 1 || c.ICEServers[0].Username != "u" || c.ICEServers[0].Credential != "p" || c.ExpiresAt != nil {
		t.Errorf("%+v", c)
	}
	if c.HeardMS != nil || c.AnsweredMS != nil {
		t.Error("the word on our own reflector stands for servers of others")
	}
}

func TestNoneChangesNothing(t *testing.T) {
	if c := (External{}).Add(own(), "anna", now); len(c.ICEServers) != 1 || c.HeardMS == nil {
		t.Errorf("%+v", c)
	}
}

func TestValidate(t *testing.T) {
	secret := []byte("s")
	many := []string{}
	for _, c := range "abcdefghi" {
		many = append(many, "stun:"+string(c)+".example")
	}
	for name, c := range map[string]struct {
		e    External
		want string // "" is valid
	}{
		"none":             {External{}, ""},
		"stun":             {External{URLs: []string{"stun:s.example"}}, ""},
		"secret":           {External{URLs: []string{"turn:t.example"}, Secret: secret}, ""},
		"static":           {External{URLs: []string{"turns:t.example:443?transport=tcp"}, Username: "u", Password: "p", Only: true}, ""},
		"IPv6":             {External{URLs: []string{"stun:[2001:db8::1]:3478"}}, ""},
		"only nothing":     {External{Only: true}, "--ice-server"},
		"secret alone":     {External{Secret: secret}, "--ice-server"},
		"secret for stun":  {External{URLs: []string{"stun:s.example"}, Secret: secret}, "turn:HOST"},
		"no credentials":   {External{URLs: []string{"turn:t.example"}}, "--ice-secret-file"},
		"both credentials": {External{URLs: []string{"turn:t.example"}, Secret: secret, Username: "u", Password: "p"}, "either"},
		"half of them":     {External{URLs: []string{"turn:t.example"}, Username: "u"}, "go together"},
		"https":            {External{URLs: []string{"https://t.example"}}, "stun:HOST:PORT"},
		"port":             {External{URLs: []string{"stun:s.example:70000"}}, "port"},
		"slashes":          {External{URLs: []string{"stun://s.example"}}, "stun:HOST:PORT"},
		"twice":            {External{URLs: []string{"stun:s.example", "stun:s.example"}}, "twice"},
		"DTLS":             {External{URLs: []string{"turns:t.example?transport=udp"}, Secret: secret}, "DTLS"},
		"too many":         {External{URLs: many}, "at most"},
	} {
		err := c.e.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestFiles(t *testing.T) {
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if s, err := ReadSecret(write("\ufeff north \r\n\n")); err != nil || string(s) != "north" {
		t.Errorf("%q, %v", s, err)
	}
	if u, p, err := ReadCredentials(write("user\npass word\n")); err != nil || u != "user" || p != "pass word" {
		t.Errorf("%q, %q, %v", u, p, err)
	}
	for _, text := range []string{"", "a\nb\nc"} {
		name := write(text)
		if _, err := ReadSecret(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("secret %q: %v", text, err)
		}
		if _, _, err := ReadCredentials(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("credentials %q: %v", text, err)
		}
	}
	if _, err := ReadSecret(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("%v", err)
	}
}

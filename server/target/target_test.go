package target

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server/datadir"
)

func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct{ give, want Target }{
		"bbb": {
			Target{Name: " Rat ", System: "bbb", URL: "BBB.Bücher.example/bigbluebutton/", Secret: "s"},
			Target{Name: "Rat", System: "bbb", URL: "https://bbb.xn--bcher-kva.example/bigbluebutton", Profile: "bbb", Secret: "s", Hash: "sha256"},
		},
		"livekit": {
			Target{Name: "lk", System: "livekit", URL: "wss://livekit.example.org", APIKey: "k", APISecret: "s", Profile: "strict"},
			Target{Name: "lk", System: "livekit", URL: "wss://livekit.example.org", APIKey: "k", APISecret: "s", Profile: "strict"},
		},
		"zoom":    {Target{Name: "z", System: "zoom"}, Target{Name: "z", System: "zoom", URL: "https://zoom.us", Profile: "zoom"}},
		"youtube": {Target{Name: "y", System: "youtube"}, Target{Name: "y", System: "youtube", URL: "rtmps://a.rtmps.youtube.com", Profile: "bbb"}},
		// The path may be the key of a stream.
		"ingest": {
			Target{Name: "y", System: "youtube", URL: "rtmps://Ingest.example.org/live2/abcd-efgh"},
			Target{Name: "y", System: "youtube", URL: "rtmps://ingest.example.org", Profile: "bbb"},
		},
		"janus": {Target{Name: "j", System: "janus", URL: "http://127.0.0.1:8088/janus"}, Target{Name: "j", System: "janus", URL: "http://127.0.0.1:8088/janus", Profile: "bbb"}},
	} {
		if got, err := c.give.Normalize(); err != nil || got != c.want {
			t.Errorf("%s: got %+v, error %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestTargetsThatCannotBeUsed(t *testing.T) {
	good := Target{Name: "a", System: "bbb", URL: "https://bbb.example.org"}
	for name, spoil := range map[string]func(*Target){
		"no name":           func(t *Target) { t.Name = "" },
		"an address":        func(t *Target) { t.Name = "bbb.example.org" },
		"a shortcut":        func(t *Target) { t.Name = "Zoom" },
		"no system":         func(t *Target) { t.System = "" },
		"another system":    func(t *Target) { t.System = "teams" },
		"no address":        func(t *Target) { t.URL = "" },
		"a word":            func(t *Target) { t.URL = "bbb" },
		"unencrypted":       func(t *Target) { t.URL = "http://bbb.example.org" },
		"a join link":       func(t *Target) { t.URL = "https://bbb.example.org/bigbluebutton/api/join?checksum=1" },
		"a user":            func(t *Target) { t.URL = "https://u:p@bbb.example.org" },
		"an ingest":         func(t *Target) { t.URL = "rtmps://bbb.example.org" },
		"no ingest":         func(t *Target) { t.System = "youtube" },
		"another profile":   func(t *Target) { t.Profile = "nonsense" },
		"a hash alone":      func(t *Target) { t.Hash = "sha1" },
		"another hash":      func(t *Target) { t.Secret, t.Hash = "s", "md5" },
		"two lines":         func(t *Target) { t.Secret = "a\nb" },
		"a certificate":     func(t *Target) { t.Secret = strings.Repeat("x", maxSecretBytes+1) },
		"a key of LiveKit":  func(t *Target) { t.APIKey, t.APISecret = "k", "s" },
		"half a key":        func(t *Target) { t.System, t.APIKey = "livekit", "k" },
		"a secret of BBB's": func(t *Target) { t.System, t.Secret = "livekit", "s" },
	} {
		bad := good
		spoil(&bad)
		_, err := bad.Normalize()
		_, isInput := errors.AsType[*InputError](err)
		if _, isAddress := errors.AsType[*origin.Error](err); !isInput && !isAddress {
			t.Errorf("%s: got error %v, want an InputError or an origin.Error", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "checksum=") || strings.Contains(err.Error(), "u:p")) {
			t.Errorf("%s: the error contains a secret: %v", name, err)
		}
	}
}

func TestFile(t *testing.T) {
	f := In(t.TempDir())
	if all, err := f.List(); len(all) != 0 || err != nil {
		t.Fatalf("got %v, error %v; want no targets", all, err)
	}
	for _, name := range []string{"zwei", "Eins"} {
		if err := f.Add(t.Context(), Target{Name: name, System: "bbb", Secret: "geheim"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Add(t.Context(), Target{Name: "EINS"}); !errors.Is(err, ErrExists) {
		t.Errorf("the same name: got error %v, want %v", err, ErrExists)
	}
	if all, err := f.List(); err != nil || len(all) != 2 || all[0].Name != "Eins" || all[1].Secret != "geheim" {
		t.Errorf("got %+v, error %v; want 2 entries, [0].Name %q, [1].Secret %q", all, err, "Eins", "geheim")
	}
	if got, err := f.Get("eins"); err != nil || got.Name != "Eins" {
		t.Errorf("got %+v, error %v; want Eins", got, err)
	}
	if err := f.Remove(t.Context(), "eins"); err != nil {
		t.Error(err)
	}
	if err := f.Remove(t.Context(), "eins"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a second time: got error %v, want %v", err, ErrNotFound)
	}
	if _, err := f.Get("eins"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got error %v, want %v", err, ErrNotFound)
	}
}

func TestNumberOfTargetsIsLimited(t *testing.T) {
	f := In(t.TempDir())
	var all content
	all.Format = format
	for range wire.MaxTargets {
		all.Targets = append(all.Targets, Target{Name: rand.Text()})
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*InputError](f.Add(t.Context(), Target{Name: "one more"})); !ok {
		t.Error("more targets than agents accept were stored")
	}
}

// A damaged file is reported, and is not replaced by one with less content.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	f := In(dir)
	for _, text := range []string{`{"format":"tonprobe.targets/v1","targets":[{"secret":"geheim`, `{"format":"tonprobe.targets/v9"}`, "<html>",
		`{"format":"tonprobe.targets/v1","targets":[{"name":"Rat","system":"bbb","url":"https://bbb.example.org","secret":"geheim","hash":"md5"}]}`} {
		if err := os.WriteFile(datadir.Targets(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.List(); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("got error %v, want %v without the secret", err, ErrDamaged)
		}
		if err := f.Add(t.Context(), Target{Name: "a"}); !errors.Is(err, ErrDamaged) {
			t.Errorf("got error %v, want %v", err, ErrDamaged)
		}
		if b, err := os.ReadFile(datadir.Targets(dir)); err != nil || string(b) != text {
			t.Errorf("the file was changed to %s, error %v", b, err)
		}
	}
}

// Test vector of BigBlueButton's documentation.
func TestChecksum(t *testing.T) {
	if got, want := checksum("", "create", "", "geheim"), checksum(defaultHash, "create", "", "geheim"); got != want {
		t.Errorf("without the name of a hash: got checksum %s, want %s", got, want)
	}
	const query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
	if got := checksum("sha1", "create", query, "639259d4-9dd8-4b25-bf01-95f9567eaf4b"); got != "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17" {
		t.Errorf("got checksum %s, want %s", got, "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17")
	}
}

// A token is valid for one room and some minutes, and contains no secret.
func TestProvider(t *testing.T) {
	f := In(t.TempDir())
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	for _, target := range []Target{
		{Name: "bbb", System: "bbb", URL: "https://bbb.example.org", Profile: "bbb", Secret: "GEHEIM-1", Hash: "sha256"},
		{Name: "lk", System: "livekit", URL: "https://lk.example.org", Profile: "bbb", APIKey: "key", APISecret: "GEHEIM-2"},
	} {
		if err := f.Add(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	d := Provider{File: f, Now: func() time.Time { return now }, Random: rand.Reader}
	first, err := d.Targets(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(first)
	if err != nil || bytes.Contains(b, []byte("GEHEIM")) {
		t.Fatalf("got %s, error %v; want it without %q", b, err, "GEHEIM")
	}
	if _, err := wire.ParseTargets(b); err != nil {
		t.Errorf("an agent rejects it: %v", err)
	}
	if first.Targets[0].Room != nil || first.Targets[1].Room == nil {
		t.Fatalf("got %s, want a room for the second target only", b)
	}
	room := first.Targets[1].Room
	second, err := d.Targets(t.Context(), "")
	if err != nil || second.Targets[1].Room.Name == room.Name {
		t.Errorf("two checks share the room %s, error %v", room.Name, err)
	}
	for token, publishes := range map[string]bool{room.Publish: true, room.Subscribe: false} {
		part := strings.Split(token, ".")
		mac := hmac.New(sha256.New, []byte("GEHEIM-2"))
		mac.Write([]byte(part[0] + "." + part[1]))
		if part[2] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Error("got a wrong signature")
		}
		raw, err := base64.RawURLEncoding.DecodeString(part[1])
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			Iss, Sub string
			Exp, Nbf int64
			Video    map[string]any
		}
		if err := json.Unmarshal(raw, &claims); err != nil {
			t.Fatal(err)
		}
		if claims.Iss != "key" || claims.Exp-now.Unix() > 300 || claims.Exp <= now.Unix() || claims.Nbf > now.Unix() {
			t.Errorf("got claims %s, want the issuer key and a validity of at most 300 s from now", raw)
		}
		want := map[string]any{"room": room.Name, "roomJoin": true, "canPublish": publishes, "canSubscribe": !publishes, "canPublishData": false}
		for k, v := range want {
			if claims.Video[k] != v {
				t.Errorf("%s: got %v, want %v", k, claims.Video[k], v)
			}
		}
		if len(claims.Video) != len(want) {
			t.Errorf("got more permissions than needed: %v, want %v", claims.Video, want)
		}
	}
}

func TestNoRandomness(t *testing.T) {
	f := In(t.TempDir())
	if err := f.Add(context.Background(), Target{Name: "lk", System: "livekit", APIKey: "k", APISecret: "s"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (Provider{File: f, Now: time.Now, Random: strings.NewReader("")}).Targets(t.Context(), ""); err == nil {
		t.Error("the name of the room is predictable")
	}
}

package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

var channelSeeds = []string{
	`{"type":"hello","version":"1.4.0","instance":"q83vEjRWeJA","screen":true}`,
	`{"type":"hello","id":"a1","version":"1.4.0"}`,
	`{"type":"retest","id":"a1","what":"full","by":"support","expires_at":"2026-03-04T18:01:30Z"}`,
	`{"type":"cancel","id":"a1"}`,
	`{"type":"consent","id":"a1","given":false}`,
	`{"type":"progress","id":"a1","probe":"network.web","status":"running"}`,
	`{"type":"level","id":"a1","rms_dbfs":-31.5,"peak_dbfs":-12,"speech":true}`,
	`{"type":"done","id":"a1","report_id":"01890a5d-ac96-774b-bcce-b302099a8057"}`,
	`{"type":"refused","id":"a1","why":"declined"}`,
	`{"type":"token"}`,
	`{"type":"sessions"}`,
	`{"type":"sessions","within_s":900}`,
}

func TestChannelMessages(t *testing.T) {
	agent := map[MessageType]bool{MessageHello: true, MessageConsent: true, MessageProgress: true, MessageLevel: true, MessageDone: true, MessageRefused: true}
	collector := map[MessageType]bool{MessageHello: true, MessageRetest: true, MessageCancel: true, MessageToken: true, MessageSessions: true}
	for _, seed := range channelSeeds {
		for name, side := range map[string]struct {
			parse func([]byte) (ChannelMessage, error)
			types map[MessageType]bool
		}{"agent": {ParseFromAgent, agent}, "collector": {ParseFromCollector, collector}} {
			m, err := side.parse([]byte(seed))
			switch {
			case side.types[m.Type] && err != nil:
				t.Errorf("from the %s: %s: got error %v, want none", name, seed, err)
			case !side.types[m.Type] && !errors.Is(err, ErrMessageType):
				t.Errorf("from the %s: %s: got error %v, want an unknown type", name, seed, err)
			case err == nil:
				if b, err := json.Marshal(m); err != nil || string(b) != seed {
					t.Errorf("%s was encoded as %s, error %v", seed, b, err)
				}
			}
		}
	}
}

func TestInvalidChannelMessages(t *testing.T) {
	for _, bad := range []string{
		"", "{", "[]", "null", `"hello"`,
		`{"type":"hello","version":"1\u202e2"}`, `{"type":"hello","instance":"a b"}`, `{"type":"hello","id":"a b"}`,
		`{"type":"consent","id":"a1"}`, `{"type":"consent","given":true}`, `{"type":"consent","id":"` + strings.Repeat("a", 65) + `","given":true}`,
		`{"type":"progress","id":"a1","probe":"<b>","status":"ok"}`, `{"type":"progress","id":"a1","probe":"nat","status":"OK!"}`,
		`{"type":"progress","id":"a1","probe":"` + strings.Repeat("a", 70) + `","status":"ok"}`,
		`{"type":"level","id":"a1","rms_dbfs":-31}`, `{"type":"level","id":"a1","rms_dbfs":1e9,"peak_dbfs":0}`,
		`{"type":"done","id":"a1","report_id":"../x"}`, `{"type":"refused","id":"a1","why":"Because."}`,
		`{"type":"hello","version":"` + strings.Repeat("1", MaxChannelBytes) + `"}`,
	} {
		if m, err := ParseFromAgent([]byte(bad)); err == nil || !errors.Is(err, ErrMessage) && !errors.Is(err, ErrMessageType) {
			t.Errorf("%.60s: got %+v, error %v, want %v or %v", bad, m, err, ErrMessage, ErrMessageType)
		}
	}
	for _, bad := range []string{
		`{"type":"retest","id":"a1","what":"full","by":"support"}`,
		`{"type":"retest","id":"a1","what":"full","by":"","expires_at":"2026-03-04T18:01:30Z"}`,
		`{"type":"retest","id":"a1","what":"full","by":"a\nb","expires_at":"2026-03-04T18:01:30Z"}`,
		`{"type":"retest","id":"a1","what":"FULL","by":"a","expires_at":"2026-03-04T18:01:30Z"}`,
		`{"type":"retest","id":"a1","what":"full","by":"a","expires_at":"soon"}`,
		`{"type":"cancel"}`,
		`{"type":"sessions","within_s":-1}`, `{"type":"sessions","within_s":901}`, `{"type":"sessions","within_s":0.5}`,
	} {
		if m, err := ParseFromCollector([]byte(bad)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got %+v, error %v; want %v", bad, m, err, ErrMessage)
		}
	}
	// A newer peer may use other types with other fields.
	if _, err := ParseFromCollector([]byte(`{"type":"update","id":7}`)); !errors.Is(err, ErrMessageType) {
		t.Errorf("a new type: got error %v, want %v", err, ErrMessageType)
	}
}

func FuzzParseFromAgent(f *testing.F)     { fuzzChannel(f, ParseFromAgent) }
func FuzzParseFromCollector(f *testing.F) { fuzzChannel(f, ParseFromCollector) }

// fuzzChannel checks that what is accepted is accepted again in its own encoding.
func fuzzChannel(f *testing.F, parse func([]byte) (ChannelMessage, error)) {
	for _, seed := range channelSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrMessage) && !errors.Is(err, ErrMessageType) {
				t.Fatalf("error of an unexpected type: %v", err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > MaxChannelBytes {
			return // the escapes of JSON are longer than some characters
		}
		if _, err := parse(again); err != nil {
			t.Fatalf("%s was encoded as %s: %v", b, again, err)
		}
	})
}

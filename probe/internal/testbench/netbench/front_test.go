package netbench

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestSpoiledRelays(t *testing.T) {
	const stun, turn = "stun:" + ServerName + ":3478", "turn:" + ServerName + ":3478?transport=udp"
	for spoilt, want := range map[string]struct {
		urls       []string
		credential string
	}{
		"wrong_secret": {[]string{stun, turn}, "c2lnbmVkIHdpdGggYW5vdGhlcg=="},
		"elsewhere":    {[]string{stun, "turn:198.51.100.99:3478?transport=udp"}, "right"},
		"absent":       {[]string{stun}, ""},
	} {
		before := wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{stun}}, {URLs: []string{turn}, Username: "me", Credential: "right"}}}
		b, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		if b, err = (CollectorSpec{TURN: spoilt}).changeList(b); err != nil {
			t.Fatal(err)
		}
		after, err := wire.ParseICEConfig(b)
		if err != nil {
			t.Fatalf("%s: the agent cannot read %s: %v", spoilt, b, err)
		}
		var urls []string
		credential := ""
		for _, s := range after.ICEServers {
			urls, credential = append(urls, s.URLs...), s.Credential
		}
		if !slices.Equal(urls, want.urls) || credential != want.credential {
			t.Errorf("%s: got URLs %v, credential %q; want %v, %q", spoilt, urls, credential, want.urls, want.credential)
		}
	}
}

func TestReflectorStateIsReplaced(t *testing.T) {
	for spec, want := range map[string]struct{ heard, answered bool }{
		"": {true, true}, "reached": {true, true}, "unreached": {false, true}, "dead": {true, false},
	} {
		b, err := json.Marshal(wire.ICEConfig{HeardMS: new(int64(1)), AnsweredMS: new(int64(2))})
		if err != nil {
			t.Fatal(err)
		}
		if b, err = (CollectorSpec{Reflector: spec}).changeList(b); err != nil {
			t.Fatal(err)
		}
		c, err := wire.ParseICEConfig(b)
		if err != nil || (c.HeardMS != nil) != want.heard || (c.AnsweredMS != nil) != want.answered {
			t.Errorf("%q: got %s, error %v", spec, b, err)
		}
	}
}

func TestShiftedClock(t *testing.T) {
	h := http.Header{}
	h.Set(wire.HeaderTimeMS, "1700000000000")
	h.Set("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
	CollectorSpec{ClockS: -3600}.shiftClock(h)
	if h.Get(wire.HeaderTimeMS) != "1699996400000" || h.Get("Date") != "Tue, 14 Nov 2023 21:13:20 GMT" {
		t.Errorf("got headers %v, want 1699996400000 ms and that date", h)
	}
}

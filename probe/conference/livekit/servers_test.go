package livekit

import (
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/livekit/signal"
	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestInvalidServersAreRemoved: an entry that WebRTC rejects neither prevents the connection nor
// goes unnoticed.
func TestInvalidServersAreRemoved(t *testing.T) {
	servers, bad := iceServers([]signal.ICEServer{
		{URLs: []string{"turn:turn:turn.example.org:3478?transport=udp", "https://turn.example.org"}, Username: "a", Credential: "b"},
		{URLs: []string{"stun:", "stun:stun.example.org"}},
		{URLs: []string{"turn:turn.example.org"}}, // without credentials
		{URLs: []string{"turns:turn.example.org?transport=tcp"}, Username: "a", Credential: "b"},
	})
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.URLs...)
	}
	if want := []string{"stun:stun.example.org", "turns:turn.example.org?transport=tcp"}; !slices.Equal(urls, want) || bad != 4 {
		t.Errorf("got %q and %d invalid entries, want %q and 4", urls, bad, want)
	}
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{ICEServers: servers})
	if err != nil {
		t.Fatal(err)
	}
	_ = pc.Close()
}

// TestOnlyInvalidServers: the relay step states that the list is invalid.
func TestOnlyInvalidServers(t *testing.T) {
	servers, bad := iceServers([]signal.ICEServer{{URLs: []string{"turn:turn:turn.example.org:3478"}, Username: "a", Credential: "b"}})
	v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "livekit.example.org"}, Direct: true}, probetest.Env(t))
	defer v.Close()
	relaytest.Start(t.Context(), v, listOf(servers, bad), netip.Addr{}).Record()
	if step, _ := v.Data.Check(report.StepRelay); step.Status != report.StatusFail || step.Code != "bad_entry" {
		t.Errorf("got %s %s, want fail bad_entry", step.Status, step.Code)
	}
}

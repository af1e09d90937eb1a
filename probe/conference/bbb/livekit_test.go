package bbb_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestLiveKitBridge: on a real LiveKit, one participant of the check receives the voice
// of the other and no other stream, although concurrent checks share the meeting.
func TestLiveKitBridge(t *testing.T) {
	t.Parallel()
	r := bbbrig.Start(t, bbbrig.Config{Version: "4.0"})
	link := r.JoinLink()
	var wg sync.WaitGroup
	all := make([]*report.Conference, 3)
	for i := range all {
		wg.Go(func() {
			v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, link), RootCAs: r.Roots, Direct: true}, probetest.Env(t))
			defer v.Close()
			bbb.System{}.Check(t.Context(), v)
			all[i] = v.Data
		})
	}
	wg.Wait()
	for _, got := range all {
		conferencetest.Want(t, got, heard)
		m := got.Media
		if m == nil || got.Bridge != "livekit" || got.Version != "4.0.0" {
			t.Fatalf("got %+v, want the figures of version 4.0.0 over LiveKit", got)
		}
		if m.State != report.MediaComplete || m.Path != "host udp" || *m.Sent != 120 || *m.DownReceived > *m.Sent || m.UpReceived == nil || m.RTTP50MS == nil {
			t.Errorf("state %s, path %s, sent %d, received %d, want complete over host udp with 120 sent", m.State, m.Path, *m.Sent, *m.DownReceived)
		}
	}
	if !r.Left(8 * time.Second) {
		t.Errorf("left behind: %+v, want nothing", r.Count())
	}
	if c := r.Count(); c.Joins != 6 || c.Tracks != 3 || c.Rooms != 0 || c.Echoes != 0 {
		t.Errorf("got %+v, want 6 joins, 3 tracks, no room and no echo", c)
	}
}

// TestLiveKitFaults: faults between BigBlueButton and its LiveKit are reported at the step
// where they occur.
func TestLiveKitFaults(t *testing.T) {
	t.Parallel()
	fault := func(step bbbrig.Step, f bbbrig.Fault) bbbrig.Config {
		return bbbrig.Config{Version: "4.0", Faults: map[bbbrig.Step]bbbrig.Fault{step: f}}
	}
	for name, c := range map[string]struct {
		config bbbrig.Config
		steps  map[report.ConferenceStep]string
	}{
		"no token sent":        {fault(bbbrig.Token, bbbrig.Silent), map[report.ConferenceStep]string{report.StepState: "ok", report.StepSignalling: "fail no_livekit_token", report.StepCall: "unknown step_before"}},
		"no field for a token": {fault(bbbrig.Token, bbbrig.Refuses), map[report.ConferenceStep]string{report.StepSignalling: "fail no_livekit_token"}},
		"a token that expired": {fault(bbbrig.LiveKit, bbbrig.Expired), map[report.ConferenceStep]string{report.StepSignalling: "fail 401", report.StepSoundDown: "unknown step_before"}},
		"a token of another key": {fault(bbbrig.LiveKit, bbbrig.Refuses), map[report.ConferenceStep]string{
			report.StepSignalling: "fail 401"}},
		"LiveKit is down":        {fault(bbbrig.LiveKit, bbbrig.Down), map[report.ConferenceStep]string{report.StepSignalling: "fail 502"}},
		"LiveKit hangs":          {fault(bbbrig.LiveKit, bbbrig.Hangs), map[report.ConferenceStep]string{report.StepSignalling: "fail timeout"}},
		"a page instead of it":   {fault(bbbrig.LiveKit, bbbrig.HTML), map[report.ConferenceStep]string{report.StepSignalling: "fail not_api"}},
		"may not publish":        {fault(bbbrig.Call, bbbrig.Refuses), map[report.ConferenceStep]string{report.StepSignalling: "ok", report.StepCall: "fail not_published"}},
		"muted by the server":    {fault(bbbrig.Sound, bbbrig.Muted), map[report.ConferenceStep]string{report.StepKeys: "ok", report.StepSoundUp: "fail muted_by_server", report.StepSoundDown: "unknown step_before"}},
		"removed by the server":  {fault(bbbrig.Sound, bbbrig.HangsUp), map[report.ConferenceStep]string{report.StepSoundDown: "unknown step_before"}},
		"may not listen":         {fault(bbbrig.Sound, bbbrig.Silent), map[report.ConferenceStep]string{report.StepSignalling: "ok", report.StepCall: "fail no_offer"}},
		"muted on joining":       {bbbrig.Config{Version: "4.0", MuteOnStart: true}, map[report.ConferenceStep]string{report.StepState: "ok mute_on_start", report.StepSoundUp: "fail mute_on_start"}},
		"locked microphones":     {bbbrig.Config{Version: "4.0", LockMicrophones: true}, map[report.ConferenceStep]string{report.StepState: "ok", report.StepSignalling: "ok", report.StepCall: "fail microphone_locked", report.StepSoundUp: "unknown step_before"}},
		"a useless address":      {bbbrig.Config{Version: "4.0", LiveKitURL: "javascript:alert(1)"}, map[report.ConferenceStep]string{report.StepSignalling: "fail bad_livekit_address"}},
		"an unencrypted address": {bbbrig.Config{Version: "4.0", LiveKitURL: "ws://livekit.example.org"}, map[report.ConferenceStep]string{report.StepSignalling: "fail bad_livekit_address"}},
		"another host":           {bbbrig.Config{Version: "4.0", LiveKitURL: "wss://livekit.invalid/x"}, map[report.ConferenceStep]string{report.StepSignalling: "fail no_name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, c.config)
			conferencetest.Want(t, check(t, r, r.JoinLink()), c.steps)
		})
	}
}

// TestLiveKitElsewhere: the settings of the client may name another host for LiveKit,
// which the step names.
func TestLiveKitElsewhere(t *testing.T) {
	t.Parallel()
	other := bbbrig.Start(t, bbbrig.Config{Version: "4.0"})
	// The other LiveKit has the same secret, so that it accepts the token.
	r := bbbrig.Start(t, bbbrig.Config{Version: "4.0", LiveKitURL: "wss://" + address(t, other.URL).Host + "/livekit"})
	got := check(t, r, r.JoinLink())
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepSignalling: "ok other_host", report.StepSoundDown: "ok"})
	if c := other.Count(); c.Tracks != 1 {
		t.Errorf("got %+v, want 1 track", c)
	}
}

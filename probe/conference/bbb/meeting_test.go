package bbb_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func address(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// check checks a server with a join link, and requires that no participant is left on it.
func check(t testing.TB, r *bbbrig.Rig, link string) *report.Conference {
	t.Helper()
	v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, link), RootCAs: r.Roots, Direct: true}, probetest.Env(t))
	defer v.Close()
	bbb.System{}.Check(t.Context(), v)
	if !r.Left(8 * time.Second) {
		t.Errorf("left behind: %+v, want nothing", r.Count())
	}
	if c := r.Count(); c.Rooms != 0 || c.Digits != 0 {
		t.Errorf("got %+v, want no conference room and no digit", c)
	}
	return v.Data
}

// heard contains the expected steps of a check that reached the sound.
var heard = map[report.ConferenceStep]string{
	report.StepAPI: "ok", report.StepRoundTrip: "ok", report.StepSignIn: "ok", report.StepState: "ok", report.StepSignalling: "ok",
	report.StepRelay: "skipped no_relay", report.StepCall: "ok", report.StepPath: "ok", report.StepKeys: "ok",
	report.StepSoundUp: "ok", report.StepSoundDown: "ok",
}

// TestEcho: the recorded voice is recognised after a second encoder, and measured per
// direction.
func TestEcho(t *testing.T) {
	t.Parallel()
	r := bbbrig.Start(t, bbbrig.Config{})
	stop := conferencetest.Delays(t)
	got := check(t, r, r.JoinLink())
	_, delayMS := stop() // the longest: there are only a few round trips
	conferencetest.Want(t, got, heard)
	m := got.Media
	if got.Version != "3.0.0" || got.Bridge != "bbb-webrtc-sfu" || got.SignallingMS == nil || m == nil {
		t.Fatalf("got %+v, want version 3.0.0 over bbb-webrtc-sfu with figures", got)
	}
	if m.State != report.MediaComplete || m.Path != "host udp" || *m.Sent != 160 || m.UpLossPct == nil || *m.UpLossPct != 0 || m.DownLossPct == nil || *m.DownLossPct != 0 {
		t.Errorf("state %s, path %s, sent %d, up %v, down %v, want complete over host udp, 160 sent, none lost", m.State, m.Path, *m.Sent, m.UpLossPct, m.DownLossPct)
	}
	// The simulated server adds 20 ms, and the second encoder a look-ahead of 6.5 ms.
	if m.RTTP50MS == nil || *m.RTTP50MS < 20 || *m.RTTP50MS > 60+delayMS {
		t.Errorf("round trip %v, want 20 to 60 ms and the delays of this computer, %.1f ms", probetest.Value(m.RTTP50MS), delayMS)
	}
	if c := r.Count(); c.Echoes != 1 || c.Joins != 1 {
		t.Errorf("got %+v, want 1 echo and 1 join", c)
	}
}

// TestLoss: losses are measured separately for each direction.
func TestLoss(t *testing.T) {
	t.Parallel()
	r := bbbrig.Start(t, bbbrig.Config{
		LossUp:   func(n int) bool { return n%10 == 5 },
		LossDown: func(n int) bool { return n%5 == 3 },
	})
	got := check(t, r, r.JoinLink())
	conferencetest.Want(t, got, heard)
	m := got.Media
	if m.UpLossPct == nil || *m.UpLossPct < 8 || *m.UpLossPct > 12 || m.DownLossPct == nil || *m.DownLossPct < 18 || *m.DownLossPct > 22 {
		figures, _ := json.Marshal(m)
		t.Errorf("got %s, want a loss of 8 to 12 %% up and 18 to 22 %% down", figures)
	}
}

func TestVersionsAndBridges(t *testing.T) {
	for name, c := range map[string]struct {
		config bbbrig.Config
		bridge string
		steps  map[report.ConferenceStep]string
	}{
		"4.0 with its default":    {bbbrig.Config{Version: "4.0"}, "livekit", heard},
		"3.0 with LiveKit":        {bbbrig.Config{Bridge: "livekit"}, "livekit", heard},
		"4.0 with the old bridge": {bbbrig.Config{Version: "4.0", Bridge: "bbb-webrtc-sfu"}, "bbb-webrtc-sfu", heard},
		"the name of the client":  {bbbrig.Config{Bridge: "fullaudio"}, "bbb-webrtc-sfu", heard},
		"an unknown bridge":       {bbbrig.Config{Bridge: "carrier-pigeon"}, "", map[report.ConferenceStep]string{report.StepCall: "unknown other_bridge"}},
		"2.7":                     {bbbrig.Config{Version: "2.7"}, "bbb-webrtc-sfu", heard},
		"2.6 that hides it":       {bbbrig.Config{Version: "2.6", HideVersion: true}, "bbb-webrtc-sfu", heard},
		"2.4": {bbbrig.Config{Version: "2.4"}, "", map[report.ConferenceStep]string{
			report.StepSignIn: "ok", report.StepState: "unknown old_version", report.StepRelay: "skipped no_relay", report.StepSoundUp: "unknown old_version"}},
		"SHA-256 only":           {bbbrig.Config{Hash: "sha256"}, "bbb-webrtc-sfu", heard},
		"a room without an echo": {bbbrig.Config{Room: "123"}, "bbb-webrtc-sfu", map[report.ConferenceStep]string{report.StepCall: "unknown no_echo_room"}},
		"a useless server list": {bbbrig.Config{Stuns: `{"stunServers":[{"url":"stun.example.org"}],"turnServers":[]}`}, "bbb-webrtc-sfu", map[report.ConferenceStep]string{
			report.StepRelay: "fail bad_entry", report.StepSoundDown: "ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, c.config)
			got := check(t, r, r.JoinLink())
			if got.Bridge != c.bridge {
				t.Errorf("bridge %q, want %q", got.Bridge, c.bridge)
			}
			conferencetest.Want(t, got, c.steps)
		})
	}
}

// TestFaults: each fault of a server is reported at the step where it occurs, and no
// participant is left behind.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		step  bbbrig.Step
		fault bbbrig.Fault
		steps map[report.ConferenceStep]string
	}{
		"interface down":              {bbbrig.API, bbbrig.Down, map[report.ConferenceStep]string{report.StepAPI: "fail 502", report.StepSignIn: "unknown step_before"}},
		"maintenance page":            {bbbrig.API, bbbrig.HTML, map[report.ConferenceStep]string{report.StepAPI: "fail not_api"}},
		"no such meeting":             {bbbrig.Join, bbbrig.Expired, map[report.ConferenceStep]string{report.StepSignIn: "fail meeting_not_found", report.StepSoundDown: "unknown step_before"}},
		"meeting has ended":           {bbbrig.Join, bbbrig.Ended, map[report.ConferenceStep]string{report.StepSignIn: "fail meeting_ended"}},
		"meeting is full":             {bbbrig.Join, bbbrig.Full, map[report.ConferenceStep]string{report.StepSignIn: "fail meeting_full"}},
		"a guest waits":               {bbbrig.Join, bbbrig.Guest, map[report.ConferenceStep]string{report.StepSignIn: "fail guest_waits"}},
		"password refused":            {bbbrig.Join, bbbrig.Refuses, map[report.ConferenceStep]string{report.StepSignIn: "fail wrong_password"}},
		"join hangs":                  {bbbrig.Join, bbbrig.Hangs, map[report.ConferenceStep]string{report.StepSignIn: "fail timeout"}},
		"join answers a page":         {bbbrig.Join, bbbrig.HTML, map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}},
		"join never ends":             {bbbrig.Join, bbbrig.Huge, map[report.ConferenceStep]string{report.StepSignIn: "fail too_long"}},
		"join answers garbage":        {bbbrig.Join, bbbrig.Garbage, map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}},
		"meeting data without token":  {bbbrig.Meeting, bbbrig.Expired, map[report.ConferenceStep]string{report.StepSignIn: "fail 401"}},
		"meeting data down":           {bbbrig.Meeting, bbbrig.Down, map[report.ConferenceStep]string{report.StepSignIn: "fail 502"}},
		"session expired":             {bbbrig.State, bbbrig.Expired, map[report.ConferenceStep]string{report.StepState: "fail session_expired", report.StepCall: "unknown step_before"}},
		"too many connections":        {bbbrig.State, bbbrig.Full, map[report.ConferenceStep]string{report.StepState: "fail too_many_connections"}},
		"GraphQL closes":              {bbbrig.State, bbbrig.Closes, map[report.ConferenceStep]string{report.StepState: "fail 1001"}},
		"GraphQL down":                {bbbrig.State, bbbrig.Down, map[report.ConferenceStep]string{report.StepState: "fail 502"}},
		"GraphQL hangs":               {bbbrig.State, bbbrig.Hangs, map[report.ConferenceStep]string{report.StepState: "fail timeout"}},
		"never joined":                {bbbrig.State, bbbrig.Silent, map[report.ConferenceStep]string{report.StepState: "fail timeout"}},
		"join refused by GraphQL":     {bbbrig.State, bbbrig.Refuses, map[report.ConferenceStep]string{report.StepState: "fail meeting_full"}},
		"meeting ends meanwhile":      {bbbrig.State, bbbrig.Ended, map[report.ConferenceStep]string{report.StepState: "fail meeting_ended"}},
		"server list expired":         {bbbrig.Servers, bbbrig.Expired, map[report.ConferenceStep]string{report.StepRelay: "fail 401", report.StepSoundDown: "ok"}},
		"server list is a page":       {bbbrig.Servers, bbbrig.HTML, map[report.ConferenceStep]string{report.StepRelay: "fail not_api", report.StepSoundDown: "ok"}},
		"SFU wants a session":         {bbbrig.Signalling, bbbrig.Expired, map[report.ConferenceStep]string{report.StepSignalling: "fail 401", report.StepCall: "unknown step_before"}},
		"SFU down":                    {bbbrig.Signalling, bbbrig.Down, map[report.ConferenceStep]string{report.StepSignalling: "fail 502"}},
		"SFU closes without an error": {bbbrig.Signalling, bbbrig.Closes, map[report.ConferenceStep]string{report.StepSignalling: "fail cut_off"}},
		"microphone not permitted":    {bbbrig.Call, bbbrig.Refuses, map[report.ConferenceStep]string{report.StepCall: "fail 2301", report.StepPath: "unknown step_before"}},
		"no resources":                {bbbrig.Call, bbbrig.Full, map[report.ConferenceStep]string{report.StepCall: "fail 2002"}},
		"call hangs":                  {bbbrig.Call, bbbrig.Hangs, map[report.ConferenceStep]string{report.StepCall: "fail timeout"}},
		"call answers garbage":        {bbbrig.Call, bbbrig.Garbage, map[report.ConferenceStep]string{report.StepCall: "fail not_api"}},
		"call closes":                 {bbbrig.Call, bbbrig.Closes, map[report.ConferenceStep]string{report.StepCall: "fail 1001"}},
		"call answers no SDP":         {bbbrig.Call, bbbrig.HTML, map[report.ConferenceStep]string{report.StepCall: "fail bad_answer"}},
		"media address is dead":       {bbbrig.Path, bbbrig.Dead, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: "fail no_path", report.StepKeys: "unknown step_before"}},
		"wrong certificate of media":  {bbbrig.Keys, bbbrig.WrongKey, map[report.ConferenceStep]string{report.StepPath: "ok", report.StepKeys: "fail no_keys"}},
		"sound does not come back":    {bbbrig.Sound, bbbrig.Silent, map[report.ConferenceStep]string{report.StepSoundUp: "ok", report.StepSoundDown: "fail nothing_came_back"}},
		"sound does not arrive":       {bbbrig.Sound, bbbrig.NotReceived, map[report.ConferenceStep]string{report.StepSoundUp: "unknown no_report", report.StepSoundDown: "fail nothing_came_back"}},
		"other sound comes back":      {bbbrig.Sound, bbbrig.OtherSound, map[report.ConferenceStep]string{report.StepSoundUp: "ok", report.StepSoundDown: "fail other_sound"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{c.step: c.fault}})
			conferencetest.Want(t, check(t, r, r.JoinLink()), c.steps)
		})
	}
}

// TestServerHangsUp: the step during which the call ended has the server's code.
func TestServerHangsUp(t *testing.T) {
	t.Parallel()
	r := bbbrig.Start(t, bbbrig.Config{Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Sound: bbbrig.HangsUp}})
	if got := check(t, r, r.JoinLink()); got.FailedCode != "2000" {
		t.Errorf("step %q failed with %q, want 2000", got.FailedStep, got.FailedCode)
	}
}

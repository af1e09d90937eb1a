package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestConferenceSystem: what the conference system itself reports is the municipality's
// responsibility. Nothing is reported about it if the path to it does not work.
func TestConferenceSystem(t *testing.T) {
	failed := func(step, code string) func(*report.Report) {
		return func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: step, FailedCode: code})
		}
	}
	for name, c := range map[string]struct {
		change  []func(*report.Report)
		cause   string
		verdict report.Verdict
	}{
		"healthy":                   {[]func(*report.Report){failed("", "")}, "", report.Ready},
		"maintenance page":          {[]func(*report.Report){failed("api", "not_api")}, "conf.server_error", report.NotReady},
		"bbb-web down":              {[]func(*report.Report){failed("api", "502")}, "conf.server_error", report.NotReady},
		"signalling down":           {[]func(*report.Report){failed("signalling", "502")}, "conf.server_error", report.NotReady},
		"too many connections":      {[]func(*report.Report){failed("state", "1011")}, "conf.server_error", report.NotReady},
		"signalling refuses":        {[]func(*report.Report){failed("signalling", "403")}, "conf.server_error", report.NotReady},
		"the server mutes":          {[]func(*report.Report){failed("sound_up", "muted_by_server")}, "conf.muted_by_server", report.NotReady},
		"microphones locked":        {[]func(*report.Report){failed("call", "microphone_locked")}, "conf.muted_by_server", report.Limited},
		"muted on joining":          {[]func(*report.Report){failed("sound_up", "mute_on_start")}, "conf.muted_by_server", report.Limited},
		"the meeting ends":          {[]func(*report.Report){failed("sound_up", "meeting_ended")}, "conf.meeting_not_found", report.Unknown},
		"no token for LiveKit":      {[]func(*report.Report){failed("signalling", "no_livekit_token")}, "conf.server_error", report.Limited},
		"the server ends the call":  {[]func(*report.Report){failed("sound_up", "cut_off")}, "conf.server_error", report.Limited},
		"our token is refused":      {[]func(*report.Report){failed("sign_in", "token_refused")}, "conf.server_error", report.Unknown},
		"a guest waits":             {[]func(*report.Report){failed("state", "guest_waits")}, "conf.server_error", report.Unknown},
		"a guest waits in the call": {[]func(*report.Report){failed("call", "guest_waits")}, "conf.server_error", report.Unknown},
		"signalling is silent":      {[]func(*report.Report){failed("signalling", "timeout")}, "conf.server_error", report.Limited},
		"the check was stopped":     {[]func(*report.Report){failed("api", "stopped")}, "", report.Ready},
		"the name is not found":     {[]func(*report.Report){failed("sign_in", "no_name")}, "", report.Ready},
		"slow round trips":          {[]func(*report.Report){failed("round_trip", "timeout")}, "", report.Ready},
		"no connection": {[]func(*report.Report){failed("api", "timeout"), func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "dns", Online: new(false)}
		}}, "not conf.server_error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = "https://bbb.example.org"
			for _, change := range c.change {
				change(r)
			}
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			named := codes(causes)
			switch {
			case c.cause == "not conf.server_error":
				if slices.Contains(named, "conf.server_error") {
					t.Errorf("got causes %q, want none that blames the server", named)
				}
				return
			case c.cause == "":
				if len(named) > 0 {
					t.Errorf("got causes %q, want none", named)
				}
			case len(named) == 0 || named[0] != c.cause:
				t.Fatalf("got causes %q, want %s", named, c.cause)
			case causes[0].Area != report.AreaMunicipality:
				t.Errorf("got area %s, want %s", causes[0].Area, report.AreaMunicipality)
			}
			if verdict != c.verdict {
				t.Errorf("got verdict %s, want %s", verdict, c.verdict)
			}
		})
	}
}

// TestRelayThatBrowsersMustUse: a relay that refuses the media server is a remark if the sound
// has another way. It is a disturbance if all browsers must use it, and a remark with its own
// advice if only Firefox must.
func TestRelayThatBrowsersMustUse(t *testing.T) {
	relay := func(code string) []report.ConferenceCheck {
		return []report.ConferenceCheck{{Name: report.StepRelay, Status: report.StatusFail, Code: code}}
	}
	path := []report.ConferenceCheck{{Name: report.StepPathRelay, Status: report.StatusWarn, Code: "no_path"}}
	const general, firefox, all = "Umweg", "In Firefox", "eigene Weg"
	for name, c := range map[string]struct {
		forced, bridge string
		checks         []report.ConferenceCheck
		severity       report.Severity
		verdict        report.Verdict
		says           string
	}{
		"nobody":                            {"", "bbb-webrtc-sfu", relay("denied"), report.SeverityInfo, report.Ready, general},
		"Firefox":                           {"firefox", "bbb-webrtc-sfu", relay("denied"), report.SeverityInfo, report.Ready, firefox},
		"all":                               {"all", "bbb-webrtc-sfu", relay("denied"), report.SeverityWarn, report.Limited, all},
		"Firefox, through LiveKit":          {"firefox", "livekit", path, report.SeverityInfo, report.Ready, firefox},
		"all, through LiveKit":              {"all", "livekit", path, report.SeverityWarn, report.Limited, all},
		"Firefox, without credentials":      {"firefox", "bbb-webrtc-sfu", relay("auth_failed"), report.SeverityInfo, report.Ready, general},
		"all, without credentials":          {"all", "bbb-webrtc-sfu", relay("auth_failed"), report.SeverityInfo, report.Ready, general},
		"Firefox, the relay is full":        {"firefox", "bbb-webrtc-sfu", relay("quota"), report.SeverityInfo, report.Ready, general},
		"all, LiveKit, the relay is full":   {"all", "livekit", relay("quota"), report.SeverityWarn, report.Limited, all},
		"Firefox, a wrong certificate":      {"firefox", "bbb-webrtc-sfu", relay("certificate"), report.SeverityInfo, report.Ready, general},
		"all, LiveKit, wrong certificate":   {"all", "livekit", relay("certificate"), report.SeverityWarn, report.Limited, all},
		"all, LiveKit, without credentials": {"all", "livekit", relay("auth_failed"), report.SeverityWarn, report.Limited, all},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = "https://bbb.example.org"
			d := &report.Conference{URLHost: "bbb.example.org", Bridge: c.bridge, RelayForced: c.forced, Checks: c.checks,
				Media: &report.MediaVoice{State: report.MediaComplete, Path: "host udp"}}
			if c.checks[0].Name == report.StepPathRelay {
				d.PathRelay = new(false)
			}
			visited(r, report.ProbeBBB, d)
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if len(causes) != 1 || causes[0].Code != "conf.turn_denied" || causes[0].Severity != c.severity || verdict != c.verdict {
				t.Fatalf("got causes %+v, verdict %s; want only conf.turn_denied, %s, verdict %s", causes, verdict, c.severity, c.verdict)
			}
			text, _ := diagnose.ExplainCause(causes[0], phrase.DE)
			if !strings.Contains(text.Sentence, c.says) || strings.Contains(text.Action, "Edge oder Chrome") != (c.says == firefox) {
				t.Errorf("got %q %q, want %q, and another browser only for Firefox", text.Sentence, text.Action, c.says)
			}
			forced := slices.ContainsFunc(causes[0].Evidence, func(e report.Evidence) bool { return e.Field == "relay_forced" })
			if forced != (c.says != general) {
				t.Errorf("got evidence %+v, want relay_forced only if it matters", causes[0].Evidence)
			}
		})
	}
}

// TestBlockedWebSocketOfTheSystem: if the participant's network prevents WebSockets, it is not the
// conference server's fault that its own WebSocket does not open.
func TestBlockedWebSocketOfTheSystem(t *testing.T) {
	for name, c := range map[string]struct {
		probe, step, code, by string
		want                  string
		verdict               report.Verdict
	}{
		"the upgrade is removed":      {report.ProbeBBB, "state", "426", "between", "net.websocket_blocked", report.NotReady},
		"a block page":                {report.ProbeBBB, "signalling", "not_api", "between", "net.websocket_blocked", report.NotReady},
		"it is cut off":               {report.ProbeBBB, "state", "cut_off", "between", "net.websocket_blocked", report.NotReady},
		"LiveKit":                     {report.ProbeLiveKit, "sign_in", "403", "between", "net.websocket_blocked", report.NotReady},
		"refused without a link":      {report.ProbeBBB, "", "", "between", "net.websocket_blocked", report.NotReady},
		"it was open":                 {report.ProbeBBB, "state", "1011", "between", "conf.server_error", report.NotReady},
		"the session is refused":      {report.ProbeBBB, "sign_in", "502", "between", "conf.server_error", report.NotReady},
		"by the collector's own side": {report.ProbeBBB, "state", "502", "server", "conf.server_error", report.NotReady},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = "https://bbb.example.org"
			v := &report.Conference{URLHost: "bbb.example.org", FailedStep: c.step, FailedCode: c.code}
			if c.step == "" {
				v.Checks = []report.ConferenceCheck{{Name: report.StepState, Status: report.StatusUnknown, Code: "needs_link"}}
			}
			visited(r, c.probe, v)
			web(r).WebSocket, web(r).WebSocketBy = new(false), c.by
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if len(causes) == 0 || causes[0].Code != c.want || verdict != c.verdict {
				t.Errorf("got causes %q, verdict %s; want %s first, %s", codes(causes), verdict, c.want, c.verdict)
			}
			if c.want == "net.websocket_blocked" && slices.Contains(codes(causes), "conf.server_error") {
				t.Errorf("got causes %q, want none that blames the server", codes(causes))
			}
		})
	}
}

// TestRejectedPortsOfZoom: Zoom prefers UDP, so rejected TCP ports matter only if no UDP port is
// known to be open. Silence proves nothing.
func TestRejectedPortsOfZoom(t *testing.T) {
	const open, rejected, silent = report.PortOpen, report.PortRejected, report.PortSilent
	for name, c := range map[string]struct {
		tcp, stun, first, last report.PortAnswer // TCP 8801, UDP 3478, 8801 and 8810
		evidence               string            // "" for no cause
	}{
		"all open":              {open, open, open, open, ""},
		"all silent":            {silent, silent, silent, silent, ""},
		"all rejected":          {rejected, rejected, rejected, rejected, "TCP 8801; UDP 3478, 8801, 8810"},
		"UDP rejected":          {open, rejected, rejected, rejected, "UDP 3478, 8801, 8810"},
		"one rejected":          {silent, silent, rejected, silent, "UDP 8801"},
		"most of UDP rejected":  {silent, open, rejected, rejected, "UDP 8801, 8810"},
		"little of UDP":         {silent, rejected, open, open, ""},
		"TCP rejected only":     {rejected, open, open, open, ""},
		"TCP, nothing of UDP":   {rejected, silent, silent, silent, "TCP 8801"},
		"TCP, a little of UDP":  {rejected, silent, silent, open, ""},
		"TCP, some UDP refused": {rejected, rejected, open, open, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = "https://zoom.us"
			visited(r, report.ProbeZoom, &report.Conference{URLHost: "zoom.us", Reachable: new(true), Ports: []report.ConferencePort{
				{Protocol: "tcp", Port: new(8801), Answer: c.tcp},
				{Protocol: "udp", Port: new(3478), Answer: c.stun}, {Protocol: "udp", Port: new(8801), Answer: c.first}, {Protocol: "udp", Port: new(8810), Answer: c.last},
			}})
			causes, verdict := diagnose.Diagnose(r, profile(t, "zoom"))
			if c.evidence == "" {
				if len(causes) > 0 || verdict != report.Ready {
					t.Fatalf("got %q, %s; want ready without a cause", codes(causes), verdict)
				}
				return
			}
			if len(causes) == 0 || causes[0].Code != "conf.media_ports_blocked" || verdict != report.Limited {
				t.Fatalf("got %q, %s; want conf.media_ports_blocked, limited", codes(causes), verdict)
			}
			if got := causes[0]; got.Area != report.AreaParticipant || got.Evidence[0].Value != c.evidence || got.Endpoint != report.EndpointConference {
				t.Errorf("got area %s, endpoint %s, evidence %+v; want participant, conference, %q", got.Area, got.Endpoint, got.Evidence, c.evidence)
			}
		})
	}
}

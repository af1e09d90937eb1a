package bbb_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

var (
	ours = map[string]report.Area{"conf.server_error": report.AreaMunicipality}
	open = map[string]report.Area{"conf.ice_failed": report.AreaUnknown}
)

// checkAs checks a server whose web address seems to be public, or is private as in a house
// network.
func checkAs(t *testing.T, r *bbbrig.Rig, public bool) *report.Conference {
	t.Helper()
	e := probetest.Env(t)
	if public {
		e.Net = conferencetest.Public(e.Net)
	} else {
		e.Net = conferencetest.Private(e.Net)
	}
	v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, r.JoinLink()), RootCAs: r.Roots, Direct: true}, e)
	defer v.Close()
	bbb.System{}.Check(t.Context(), v)
	return v.Data
}

// TestPrivateAddress: a media server behind a NAT that announces the address of its network card
// is distinguished from a firewall that blocks it.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	candidate := regexp.MustCompile(`a=candidate:[^\r]+`)
	for name, c := range map[string]struct {
		public bool
		more   string
		path   string
		causes map[string]report.Area
	}{
		"private":             {true, "", "fail private_address", ours},
		"in a house network":  {false, "", "fail no_path", open},
		"beside a public one": {true, "\r\na=" + conferencetest.Candidate("192.0.2.1"), "fail no_path", open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Answer: func(sdp string) string {
				return candidate.ReplaceAllString(sdp, "a="+conferencetest.Candidate("172.17.0.2")+c.more)
			}})
			got := checkAs(t, r, c.public)
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: c.path})
			if causes := conferencetest.Causes(t, report.ProbeBBB, got); !maps.Equal(causes, c.causes) {
				t.Errorf("got causes %v, want %v", causes, c.causes)
			}
		})
	}
}

// TestLiveKitPrivateAddress: the same for the LiveKit of a BigBlueButton, on another host, which
// the step still names.
func TestLiveKitPrivateAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		public    bool
		addresses []string
		path      string
		causes    map[string]report.Area
	}{
		"private":             {true, []string{"172.17.0.2", "10.0.0.2"}, "fail private_address", ours},
		"in a house network":  {false, []string{"172.17.0.2"}, "fail no_path", open},
		"beside a public one": {true, []string{"172.17.0.2", "192.0.2.1"}, "fail no_path", open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
				if err != nil {
					return
				}
				conferencetest.LiveKitCall(context.WithoutCancel(r.Context()), conn, c.addresses...)
				_ = conn.CloseNow()
			}))
			t.Cleanup(other.Close)
			at := address(t, other.URL)
			r := bbbrig.Start(t, bbbrig.Config{Version: "4.0", LiveKitURL: "wss://" + conferencetest.OtherHost + ":" + at.Port() + "/livekit"})
			r.Roots.AddCert(other.Certificate())
			got := checkAs(t, r, c.public)
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepSignalling: "ok other_host", report.StepCall: "ok", report.StepPath: c.path})
			if step, _ := got.Check(report.StepPath); step.Host != conferencetest.OtherHost || got.FailedHost != conferencetest.OtherHost {
				t.Errorf("got hosts %q and %q, want %s", step.Host, got.FailedHost, conferencetest.OtherHost)
			}
			if causes := conferencetest.Causes(t, report.ProbeBBB, got); !maps.Equal(causes, c.causes) {
				t.Errorf("got causes %v, want %v", causes, c.causes)
			}
		})
	}
}

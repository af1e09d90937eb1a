package conference_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// janusWith returns the events of a gateway that names the first of the addresses in its answer,
// the others separately.
func janusWith(addresses []string) (events []string) {
	sdp, _ := json.Marshal(conferencetest.Description("passive", addresses[0]))
	events = append(events, `{"janus":"event","session_id":1,"jsep":{"type":"answer","sdp":`+string(sdp)+`}}`)
	for _, at := range addresses[1:] {
		events = append(events, fmt.Sprintf(`{"janus":"trickle","session_id":1,"candidate":{"candidate":%q}}`, conferencetest.Candidate(at)))
	}
	return events
}

// startJanus starts a gateway whose media server has these addresses and does not exist.
func startJanus(t *testing.T, addresses ...string) (string, *x509.CertPool) {
	var polls atomic.Int64
	events := janusWith(addresses)
	address, roots := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m janusRequest
		switch body, _ := io.ReadAll(r.Body); {
		case r.Method == http.MethodPost:
			_ = json.Unmarshal(body, &m)
			_, _ = io.WriteString(w, m.response())
		case strings.HasSuffix(r.URL.Path, "/info"):
			_, _ = io.WriteString(w, janusRequest{Janus: "info"}.response())
		default:
			if i := int(polls.Add(1)) - 1; i < len(events) {
				_, _ = io.WriteString(w, events[i])
				return
			}
			<-r.Context().Done()
		}
	}))
	return address + "/janus", roots
}

// startJanusSocket is startJanus for the API over WebSocket.
func startJanusSocket(t *testing.T, addresses ...string) (string, *x509.CertPool) {
	address, roots := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"janus-protocol"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		for {
			_, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			var m janusRequest
			_ = json.Unmarshal(b, &m)
			_ = c.Write(r.Context(), websocket.MessageText, []byte(m.response()))
			if m.Janus != "message" {
				continue
			}
			for _, event := range janusWith(addresses) {
				_ = c.Write(r.Context(), websocket.MessageText, []byte(event))
			}
		}
	}))
	return "wss" + strings.TrimPrefix(address, "https") + "/janus", roots
}

// startWHIP starts an endpoint whose media server has these addresses and does not exist.
func startWHIP(t *testing.T, addresses ...string) (string, *x509.CertPool) {
	e := &whipEndpoint{before: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/whip/live/1")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, conferencetest.Description("passive", addresses...))
	}}
	e.start(t)
	return e.address, e.roots
}

func startLiveKitCall(t *testing.T, addresses ...string) (string, *x509.CertPool) {
	return wrongLiveKit(t, func(ctx context.Context, c *websocket.Conn) { conferencetest.LiveKitCall(ctx, c, addresses...) })
}

// TestPrivateAddress: a server whose media server names only addresses that nobody outside can
// use, as that of its container, is told apart from a firewall that blocks it.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	ours := map[string]report.Area{"conf.server_error": report.AreaMunicipality}
	open := map[string]report.Area{"conf.ice_failed": report.AreaUnknown}
	for system, start := range map[string]func(*testing.T, ...string) (string, *x509.CertPool){
		"livekit": startLiveKitCall, "janus": startJanus, "janus over WebSocket": startJanusSocket, "whip": startWHIP,
	} {
		for name, c := range map[string]struct {
			addresses []string
			house     bool // the web server's address is private too
			path      string
			causes    map[string]report.Area
		}{
			"of a container":      {[]string{"172.17.0.2"}, false, "fail private_address", ours},
			"of several kinds":    {[]string{"172.17.0.2", "fd00::2", "169.254.7.7"}, false, "fail private_address", ours},
			"in a house network":  {[]string{"172.17.0.2"}, true, "fail no_path", open},
			"beside a public one": {[]string{"172.17.0.2", "192.0.2.1"}, false, "fail no_path", open},
			"beside a name":       {[]string{"172.17.0.2", "5b0f4c1e-6e1a-4b7e-9d2c-1f0e.local"}, false, "fail no_path", open},
		} {
			t.Run(system+"/"+name, func(t *testing.T) {
				t.Parallel()
				address, roots := start(t, c.addresses...)
				kind, _, _ := strings.Cut(system, " ")
				env := probetest.Env(t)
				env.Net = conferencetest.Public(env.Net)
				if c.house {
					env.Net = conferencetest.Private(probetest.Env(t).Net)
				}
				p, err := conference.Find(t.Context(), conference.Config{
					Address: address, System: kind, RootCAs: roots, Direct: true, Room: &wire.Room{Name: "r", Publish: "p", Subscribe: "s"},
				}, env)
				if err != nil {
					t.Fatal(err)
				}
				r, err := p.Run(t.Context(), env)
				if err != nil {
					t.Fatal(err)
				}
				got := r.Data.(*report.Conference)
				conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: c.path, report.StepKeys: "unknown step_before"})
				if causes := conferencetest.Causes(t, p.Name(), got); !maps.Equal(causes, c.causes) {
					t.Errorf("got causes %v, want %v", causes, c.causes)
				}
			})
		}
	}
}

package conference_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// listener returns the address of a UDP socket that answers nothing, and a channel that is
// closed once it has received a packet.
func listener(t *testing.T) (address *net.UDPAddr, reached chan struct{}) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	reached = make(chan struct{})
	go func() {
		if _, _, err := c.ReadFromUDP(make([]byte, 2048)); err == nil {
			close(reached)
		}
	}()
	return c.LocalAddr().(*net.UDPAddr), reached
}

// janusAnswer returns the event with the answer of an EchoTest at an address.
func janusAnswer(at *net.UDPAddr) string {
	sdp := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" +
		"a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghabcdefghabcdefgh\r\na=setup:passive\r\n" +
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("11:", 32), ":") + "\r\n" +
		fmt.Sprintf("a=candidate:1 1 udp 1 127.0.0.1 %d typ host\r\n", at.Port)
	quoted, _ := json.Marshal(sdp)
	return `{"janus":"event","session_id":1,"jsep":{"type":"answer","sdp":` + string(quoted) + `}}`
}

// janusRequest is what a fake gateway reads of a request.
type janusRequest struct{ Janus, Transaction string }

// response returns the response to a request that is not the offer.
func (r janusRequest) response() string {
	switch r.Janus {
	case "info":
		return fmt.Sprintf(`{"janus":"server_info","transaction":%q,"version_string":"1.0"}`, r.Transaction)
	case "message":
		return fmt.Sprintf(`{"janus":"ack","transaction":%q}`, r.Transaction)
	}
	return fmt.Sprintf(`{"janus":"success","transaction":%q,"data":{"id":1}}`, r.Transaction)
}

// TestJanusStopped: a cancelled check ends its session over the WebSocket on which it still
// receives events.
func TestJanusStopped(t *testing.T) {
	at, _ := listener(t)
	late, reached := listener(t)
	var seen []string
	over := make(chan struct{})
	address, roots := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"janus-protocol"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer close(over)
		for {
			_, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			var m janusRequest
			_ = json.Unmarshal(b, &m)
			seen = append(seen, m.Janus)
			_ = c.Write(r.Context(), websocket.MessageText, []byte(m.response()))
			if m.Janus == "message" {
				_ = c.Write(r.Context(), websocket.MessageText, []byte(janusAnswer(at)))
				_ = c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, `{"janus":"trickle","session_id":1,"candidate":{"candidate":"candidate:2 1 udp 1 127.0.0.1 %d typ host"}}`, late.Port))
			}
			if m.Janus != "destroy" { // an event, which the session need not await
				_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"janus":"media","session_id":1}`))
			}
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	p, err := conference.Find(ctx, conference.Config{Address: "wss" + strings.TrimPrefix(address, "https") + "/janus", System: "janus", RootCAs: roots, Direct: true}, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(ctx, probetest.Env(t)); err != nil {
		t.Fatal(err)
	}
	<-over
	if got := strings.Join(seen, " "); got != "info create attach message destroy" {
		t.Errorf("got requests %q, want destroy at the end", got)
	}
}

// TestJanusPolls: a gateway, or something before it, that answers each long poll at once is
// not flooded with requests, and an error of the gateway is stated.
func TestJanusPolls(t *testing.T) {
	const lost, empty = `{"janus":"error","error":{"code":458,"reason":"No such session"}}`, `{"janus":"keepalive"}`
	at, _ := listener(t)
	for name, c := range map[string]struct {
		first, later string
		steps        map[report.ConferenceStep]string
		most         int64
	}{
		"the session is lost":         {lost, lost, map[report.ConferenceStep]string{report.StepCall: "fail 458"}, 1},
		"empty":                       {empty, empty, map[report.ConferenceStep]string{report.StepCall: "fail no_answer"}, 50},
		"lost after the answer":       {janusAnswer(at), lost, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: "fail no_path"}, 2},
		"only empty after the answer": {janusAnswer(at), empty, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: "fail no_path"}, 51},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var polls atomic.Int64
			address, roots := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var m janusRequest
				switch body, _ := io.ReadAll(r.Body); {
				case r.Method == http.MethodPost:
					_ = json.Unmarshal(body, &m)
					_, _ = io.WriteString(w, m.response())
				case strings.HasSuffix(r.URL.Path, "/info"):
					_, _ = io.WriteString(w, janusRequest{Janus: "info"}.response())
				case polls.Add(1) == 1:
					_, _ = io.WriteString(w, c.first)
				default:
					_, _ = io.WriteString(w, c.later)
				}
			}))
			_, got := run(t, conference.Config{Address: address + "/janus", System: "janus", RootCAs: roots, Direct: true})
			conferencetest.Want(t, got, c.steps)
			if n := polls.Load(); n > c.most {
				t.Errorf("got %d polls, want at most %d", n, c.most)
			}
		})
	}
}

package conference_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// wrongLiveKit looks like a LiveKit until a participant joins.
func wrongLiveKit(t *testing.T, speak func(context.Context, *websocket.Conn)) (address string, roots *x509.CertPool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", text(200, "OK"))
	mux.HandleFunc("/rtc/validate", text(401, "permission denied"))
	mux.HandleFunc("/rtc", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		speak(r.Context(), c)
		_ = c.CloseNow()
	})
	return startTLS(t, mux)
}

// TestWrongLiveKit: a server that violates the protocol is reported as such; the check does not
// hang, and no goroutine or socket remains.
func TestWrongLiveKit(t *testing.T) {
	say := func(messages ...[]byte) func(context.Context, *websocket.Conn) {
		return func(ctx context.Context, c *websocket.Conn) {
			for _, m := range messages {
				if c.Write(ctx, websocket.MessageBinary, m) != nil {
					return
				}
			}
			for { // until the client is gone
				if _, _, err := c.Read(ctx); err != nil {
					return
				}
			}
		}
	}
	welcome := conferencetest.LiveKitMessage(1, "room")
	// A join response with the address of a relay.
	names := func(u string) []byte {
		server := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), u)
		for field, text := range map[protowire.Number]string{2: "user", 3: "secret"} {
			server = protowire.AppendString(protowire.AppendTag(server, field, protowire.BytesType), text)
		}
		join := protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), server)
		return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), join)
	}
	for name, c := range map[string]struct {
		speak func(context.Context, *websocket.Conn)
		steps map[report.ConferenceStep]string
	}{
		"silent":                 {say(), map[report.ConferenceStep]string{report.StepSignIn: "fail timeout", report.StepCall: "unknown step_before"}},
		"HTML":                   {say([]byte("<html><body>Wartung</body></html>")), map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}},
		"a huge message":         {say(make([]byte, 2<<20)), map[report.ConferenceStep]string{report.StepSignIn: "fail too_long"}},
		"names another server":   {say(conferencetest.LiveKitMessage(1, "", "", "", "", "", "", "wss://other.example.org")), map[report.ConferenceStep]string{report.StepSignIn: "fail not_let_in"}},
		"sends leave":            {say(conferencetest.LiveKitMessage(8)), map[report.ConferenceStep]string{report.StepSignIn: "fail not_let_in"}},
		"sends other messages":   {say(conferencetest.LiveKitMessage(30, "x"), conferencetest.LiveKitMessage(31, "y"), welcome), map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail no_answer"}},
		"only the join response": {say(welcome), map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail no_answer", report.StepPathRelay: "unknown step_before"}},
		"a wrong answer": {say(welcome, conferencetest.LiveKitMessage(2, "answer", "v=0\r\nnonsense"), conferencetest.LiveKitMessage(6, "voice"), conferencetest.LiveKitMessage(3, "offer", "nonsense")),
			map[report.ConferenceStep]string{report.StepCall: "fail bad_answer"}},
		"an invalid relay":       {say(names("turn:turn:turn.example.org:3478?transport=udp")), map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail no_answer"}},
		"an invalid STUN server": {say(names("stun:")), map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail no_answer"}},
		"closes": {func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageBinary, welcome)
			_, _, _ = c.Read(ctx)
			_ = c.Close(websocket.StatusInternalError, "")
		}, map[report.ConferenceStep]string{report.StepCall: "fail cut_off"}},
		"text instead of binary": {func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"join":{}}`))
			_, _, _ = c.Read(ctx)
		}, map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, roots := wrongLiveKit(t, c.speak)
			_, d := run(t, conference.Config{
				Address: address, System: "livekit", RootCAs: roots, Direct: true, Room: &wire.Room{Name: "r", Publish: "p", Subscribe: "s"},
			})
			conferencetest.Want(t, d, c.steps)
		})
	}
}

// TestLiveKitInTheBackground: a background check does not join.
func TestLiveKitInTheBackground(t *testing.T) {
	address, roots := wrongLiveKit(t, func(context.Context, *websocket.Conn) { t.Error("a background check joined") })
	_, d := run(t, conference.Config{
		Address: address, System: "livekit", RootCAs: roots, Direct: true, NoMedia: true, Room: &wire.Room{Name: "r", Publish: "p", Subscribe: "s"},
	})
	conferencetest.Want(t, d, map[report.ConferenceStep]string{report.StepSignalling: "ok asks_sign_in", report.StepSignIn: "unknown background", report.StepSoundDown: "unknown background"})
}

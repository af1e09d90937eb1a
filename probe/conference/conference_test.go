package conference_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// check runs the check of the system at an address.
func check(t testing.TB, address string, roots *x509.CertPool) (probe.Result, *report.Conference) {
	t.Helper()
	return run(t, conference.Config{Address: address, RootCAs: roots, Direct: true})
}

// run runs a check with a configuration.
func run(t testing.TB, c conference.Config) (probe.Result, *report.Conference) {
	t.Helper()
	p, err := conference.Find(t.Context(), c, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	if p == nil {
		t.Fatalf("%s: no known system", c.Address)
	}
	r, err := p.Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Data.(*report.Conference)
}

func TestAddressesAreRecognised(t *testing.T) {
	for raw, want := range map[string]string{
		"https://bbb.example.org/bigbluebutton/api/join?meetingID=1&password=x&checksum=y": "https://bbb.example.org/bigbluebutton",
		"https://konferenz.example.org/html5client/join?sessionToken=abc":                  "https://konferenz.example.org/bigbluebutton",
		"https://konferenz.example.org/rooms/abc-def-ghi-jkl/join":                         "https://konferenz.example.org/bigbluebutton",
		"https://konferenz.example.org/b/rat-abc-def":                                      "https://konferenz.example.org/bigbluebutton",
		"bbb.example.org":                                "https://bbb.example.org/bigbluebutton",
		" <https://BBB-3.Bücher.example/> ":              "https://bbb-3.xn--bcher-kva.example/bigbluebutton",
		"https://bbb.example.org:8443/x":                 "https://bbb.example.org:8443/bigbluebutton",
		"https://rat.example.org/geheim?t=1":             "https://rat.example.org",
		"wss://livekit.example.org":                      "https://livekit.example.org/rtc",
		"wss://media.example.org/livekit/rtc":            "https://media.example.org/livekit/rtc",
		"https://media.example.org/rtc/v1":               "https://media.example.org/rtc",
		"wss://example.org:8989":                         "wss://example.org:8989",
		"wss://janus.example.org/ws":                     "wss://janus.example.org/ws",
		"wss://rat.example.org/x":                        "https://rat.example.org",
		"https://example.org/janus":                      "https://example.org/janus",
		"https://example.org/whip/endpoint?secret=1":     "https://example.org/whip/endpoint",
		"https://us02web.zoom.us/j/123456789?pwd=geheim": "https://us02web.zoom.us/",
		"zoom":                                "https://zoom.us/",
		"YouTube":                             "rtmps://a.rtmps.youtube.com",
		"https://www.youtube.com/watch?v=abc": "rtmps://a.rtmps.youtube.com",
		"rtmps://ingest.example.org:443/live/stream-key": "rtmps://ingest.example.org",
		"rtmp://ingest.example.org/live":                 "rtmp://ingest.example.org",
		"https://notbbb.example.org":                     "https://notbbb.example.org",
		"https://zoom.us.example.org":                    "https://zoom.us.example.org",
		"https://example.org/bigbluebuttons":             "https://example.org",
	} {
		got, err := conference.Reduce(raw)
		if err != nil || got != want {
			t.Errorf("Reduce(%q) = %q, error %v; want %q", raw, got, err, want)
			continue
		}
		if again, err := conference.Reduce(got); err != nil || again != got {
			t.Errorf("Reduce(%q) = %q, error %v; want it unchanged", got, again, err)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	for _, raw := range []string{"http://bbb.example.org", "ftp://bbb.example.org", "bbb", "rtmp://", "https://bbb.example.org:99999", "zoomus", "rtmps://ho st/"} {
		if got, err := conference.Reduce(raw); err == nil {
			t.Errorf("Reduce(%q) = %q, want an error", raw, got)
		}
	}
}

// bbbServer simulates the parts of a BigBlueButton that require no session. The fields
// select its faults.
type bbbServer struct {
	api, roundTrip, signalling, state http.HandlerFunc
}

const about27 = `<response><returncode>SUCCESS</returncode><version>2.0</version><apiVersion>2.0</apiVersion><bbbVersion>2.7.3</bbbVersion></response>`

const about30 = `{"response":{"returncode":"SUCCESS","version":"2.0","apiVersion":"2.0","bbbVersion":"3.0.4",
 "graphqlWebsocketUrl":"wss://bbb.example/graphql","graphqlApiUrl":"https://bbb.example/api/rest"}}`

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
}

// refuses responds to the request for a WebSocket with a status.
func refuses(status int) http.HandlerFunc { return text(status, "") }

// closes accepts the WebSocket, reads one message and closes with a code.
func closes(code websocket.StatusCode, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		_, _, _ = c.Read(r.Context())
		_ = c.Close(code, reason)
	}
}

// hangs sends no response, not even when the client hangs up: one that crosses its end would count.
func hangs(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func healthy27() bbbServer {
	return bbbServer{api: text(200, about27), roundTrip: text(200, ""), signalling: refuses(401), state: refuses(404)}
}

func healthy30() bbbServer {
	return bbbServer{api: text(200, about30), roundTrip: text(200, ""), signalling: refuses(401), state: closes(4403, "meeting not found")}
}

func (b bbbServer) start(t *testing.T) (address string, roots *x509.CertPool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/bigbluebutton/api", b.api)
	mux.HandleFunc("/bigbluebutton/rtt-check", b.roundTrip)
	mux.HandleFunc("/bbb-webrtc-sfu", b.signalling)
	mux.HandleFunc("/graphql", b.state)
	return startTLS(t, mux)
}

func startTLS(t *testing.T, h http.Handler) (address string, roots *x509.CertPool) {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true // as nginx
	s.StartTLS()
	t.Cleanup(s.CloseClientConnections)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	t.Cleanup(s.Close)
	return s.URL, roots
}

func TestBigBlueButton(t *testing.T) {
	with := func(b bbbServer, change func(*bbbServer)) bbbServer { change(&b); return b }
	for name, c := range map[string]struct {
		server  bbbServer
		version string
		status  report.Status
		steps   map[report.ConferenceStep]string
	}{
		"2.7": {healthy27(), "2.7.3", report.StatusOK, map[report.ConferenceStep]string{
			report.StepAPI: "ok", report.StepRoundTrip: "ok", report.StepSignalling: "ok asks_sign_in", report.StepState: "missing", report.StepSoundUp: "unknown needs_link"}},
		"3.0": {healthy30(), "3.0.4", report.StatusOK, map[report.ConferenceStep]string{
			report.StepAPI: "ok", report.StepSignalling: "ok asks_sign_in", report.StepState: "ok asks_sign_in"}},
		"a hidden version": {with(healthy27(), func(b *bbbServer) {
			b.api = text(200, `<response><returncode>SUCCESS</returncode><version>2.0</version><bbbVersion/></response>`)
		}), "2.0", report.StatusOK, map[report.ConferenceStep]string{report.StepAPI: "ok"}},
		"a maintenance page": {with(healthy27(), func(b *bbbServer) { b.api = text(200, "<!doctype html><html><body>Wartung") }), "", report.StatusUnknown,
			map[report.ConferenceStep]string{report.StepAPI: "fail not_api", report.StepSignalling: "unknown step_before"}},
		"bbb-web is down": {with(healthy27(), func(b *bbbServer) { b.api = text(502, "<html>Bad Gateway</html>") }), "", report.StatusUnknown,
			map[report.ConferenceStep]string{report.StepAPI: "fail 502"}},
		"FAILED": {with(healthy27(), func(b *bbbServer) { b.api = text(200, `<response><returncode>FAILED</returncode></response>`) }), "", report.StatusUnknown, map[report.ConferenceStep]string{report.StepAPI: "fail not_api"}},
		"huge":   {with(healthy27(), func(b *bbbServer) { b.api = text(200, strings.Repeat("x", 3<<20)) }), "", report.StatusUnknown, map[report.ConferenceStep]string{report.StepAPI: "fail too_long"}},
		"silent": {with(healthy27(), func(b *bbbServer) { b.api = hangs }), "", report.StatusUnknown, map[report.ConferenceStep]string{report.StepAPI: "fail timeout"}},
		"redirects to another host": {with(healthy27(), func(b *bbbServer) {
			b.api = http.RedirectHandler("https://login.example.org/", http.StatusFound).ServeHTTP
		}), "", report.StatusUnknown, map[report.ConferenceStep]string{report.StepAPI: "fail redirected"}},
		"redirects to itself": {with(healthy27(), func(b *bbbServer) { b.api = http.RedirectHandler("/bigbluebutton/api", http.StatusFound).ServeHTTP }), "", report.StatusUnknown, map[report.ConferenceStep]string{report.StepAPI: "fail redirect_loop"}},
		"hostile version": {with(healthy27(), func(b *bbbServer) {
			b.api = text(200, `<response><returncode>SUCCESS</returncode><version>2.0</version><bbbVersion>3 <b>x</b>&#10;`+strings.Repeat("9", 300)+`</bbbVersion></response>`)
		}), "2.0", report.StatusOK, map[report.ConferenceStep]string{report.StepAPI: "ok"}},
		"SFU missing": {with(healthy27(), func(b *bbbServer) { b.signalling = refuses(404) }), "2.7.3", report.StatusWarn,
			map[report.ConferenceStep]string{report.StepSignalling: "fail 404"}},
		"SFU down": {with(healthy27(), func(b *bbbServer) { b.signalling = refuses(502) }), "2.7.3", report.StatusWarn,
			map[report.ConferenceStep]string{report.StepSignalling: "fail 502"}},
		"upgrade stripped": {with(healthy27(), func(b *bbbServer) { b.signalling = text(400, "") }), "2.7.3", report.StatusWarn,
			map[report.ConferenceStep]string{report.StepSignalling: "fail 400"}},
		"WebSockets forbidden": {with(healthy30(), func(b *bbbServer) { b.signalling, b.state = refuses(403), refuses(403) }), "3.0.4", report.StatusOK,
			map[report.ConferenceStep]string{report.StepSignalling: "unknown needs_link", report.StepState: "unknown needs_link"}},
		"GraphQL full":   {with(healthy30(), func(b *bbbServer) { b.state = closes(1011, "connections limit exceeded") }), "3.0.4", report.StatusWarn, map[report.ConferenceStep]string{report.StepState: "fail 1011"}},
		"GraphQL silent": {with(healthy30(), func(b *bbbServer) { b.state = hangs }), "3.0.4", report.StatusWarn, map[report.ConferenceStep]string{report.StepState: "fail timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, roots := c.server.start(t)
			r, got := check(t, address+"/bigbluebutton", roots)
			if r.Status != c.status || got.Version != c.version {
				t.Errorf("status %s, version %q, want %s, %q", r.Status, got.Version, c.status, c.version)
			}
			conferencetest.Want(t, got, c.steps)
		})
	}
}

// TestSystemIsDetected: a bare address that does not identify its system is queried.
func TestSystemIsDetected(t *testing.T) {
	address, roots := healthy30().start(t)
	p, err := conference.Find(t.Context(), conference.Config{Address: address, RootCAs: roots, Direct: true}, probetest.Env(t))
	if err != nil || p == nil || p.Name() != report.ProbeBBB {
		t.Errorf("got %v, error %v; want %s", p, err, report.ProbeBBB)
	}
	address, roots = startTLS(t, http.NotFoundHandler())
	if p, err := conference.Find(t.Context(), conference.Config{Address: address, RootCAs: roots, Direct: true}, probetest.Env(t)); p != nil || err != nil {
		t.Errorf("got %v, error %v; want neither", p, err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	address, _ := healthy27().start(t)
	_, got := check(t, address+"/bigbluebutton", x509.NewCertPool())
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepAPI: "fail certificate"})
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, got := check(t, "https://"+l.Addr().String()+"/bigbluebutton", nil)
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepAPI: "fail refused"})
}

// TestStoppedCheck: a cancelled check reports the cancellation and attributes no fault to the
// server.
func TestStoppedCheck(t *testing.T) {
	b := healthy27()
	b.api = hangs
	address, roots := b.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := conference.Find(ctx, conference.Config{Address: address + "/bigbluebutton", RootCAs: roots, Direct: true}, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	r, err := p.Run(ctx, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	conferencetest.Want(t, r.Data.(*report.Conference), map[report.ConferenceStep]string{report.StepAPI: "unknown no_time"})
}

func TestNothingIsLeftBehind(t *testing.T) {
	address, roots := healthy30().start(t)
	for range 3 {
		check(t, address+"/bigbluebutton", roots)
	}
	before := runtime.NumGoroutine()
	for range 50 {
		check(t, address+"/bigbluebutton", roots)
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+5 {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ingest is a server for streams; speak handles one connection.
func ingest(t *testing.T, certificate *tls.Certificate, speak func(net.Conn)) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	scheme := "rtmp"
	if certificate != nil {
		l, scheme = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*certificate}}), "rtmps"
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); speak(c) }()
		}
	}()
	u := url.URL{Scheme: scheme, Host: l.Addr().String()}
	return u.String()
}

// rtmp performs the server's part of the handshake (Adobe RTMP 1.0 §5.2.1).
func rtmp(c net.Conn) {
	c01 := make([]byte, 1537)
	if _, err := io.ReadFull(c, c01); err != nil {
		return
	}
	s1 := make([]byte, 1536)
	_, _ = rand.Read(s1[8:])
	_, _ = c.Write(append(append([]byte{3}, s1...), c01[1:]...))
	_, _ = io.Copy(io.Discard, c)
}

func TestIngest(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	s.Close()
	certificate := s.TLS.Certificates[0]
	trusted := x509.NewCertPool()
	trusted.AddCert(s.Certificate())
	for name, c := range map[string]struct {
		certificate *tls.Certificate
		roots       *x509.CertPool
		speak       func(net.Conn)
		steps       map[report.ConferenceStep]string
	}{
		"encrypted": {&certificate, trusted, rtmp, map[report.ConferenceStep]string{report.StepReach: "ok", report.StepHandshake: "ok"}},
		"plain":     {nil, nil, rtmp, map[report.ConferenceStep]string{report.StepReach: "ok", report.StepHandshake: "ok"}},
		"untrusted": {&certificate, x509.NewCertPool(), rtmp, map[report.ConferenceStep]string{report.StepReach: "fail certificate", report.StepHandshake: "unknown step_before"}},
		"a web server": {nil, nil, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}, map[report.ConferenceStep]string{report.StepHandshake: "fail not_rtmp"}},
		"silent":                      {nil, nil, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, map[report.ConferenceStep]string{report.StepHandshake: "fail timeout"}},
		"closes":                      {nil, nil, func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 1537) }, map[report.ConferenceStep]string{report.StepHandshake: "fail cut_off"}},
		"closes during the handshake": {nil, nil, func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 1537); _, _ = c.Write(make([]byte, 700)) }, map[report.ConferenceStep]string{report.StepHandshake: "fail not_rtmp"}},
		"returns other bytes": {nil, nil, func(c net.Conn) {
			_, _ = io.CopyN(io.Discard, c, 1537)
			_, _ = c.Write(append([]byte{3}, make([]byte, 3072)...))
			_, _ = io.Copy(io.Discard, c)
		}, map[report.ConferenceStep]string{report.StepHandshake: "fail not_rtmp"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := check(t, ingest(t, c.certificate, c.speak), c.roots)
			conferencetest.Want(t, got, c.steps)
		})
	}
}

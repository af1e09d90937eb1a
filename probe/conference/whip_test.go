package conference_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// whipEndpoint simulates an ordinary WHIP endpoint: it receives a stream, returns none,
// and reports every second what arrived.
type whipEndpoint struct {
	token    string // that it requires; "" for none
	location string // of the session; "" for the default
	spoil    func(answer string) string
	before   http.HandlerFunc // handles POST instead, if not nil
	address  string
	roots    *x509.CertPool

	mu            sync.Mutex
	pc            *webrtc.PeerConnection
	posted, ended int
	offered       string
}

func (e *whipEndpoint) start(t *testing.T) {
	t.Helper()
	e.address, e.roots = startTLS(t, e)
	e.address += "/whip/live"
	t.Cleanup(func() {
		if e.pc != nil {
			_ = e.pc.Close()
		}
	})
}

func (e *whipEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Accept-Post", "application/sdp")
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		e.posted++
		switch {
		case e.token != "" && r.Header.Get("Authorization") != "Bearer "+e.token:
			w.WriteHeader(http.StatusUnauthorized)
		case e.before != nil:
			e.before(w, r)
		default:
			e.answer(w, r)
		}
	case http.MethodDelete:
		e.ended++
	}
}

func (e *whipEndpoint) answer(w http.ResponseWriter, r *http.Request) {
	offer, _ := io.ReadAll(r.Body)
	e.offered = string(offer)
	pc, err := receiver()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	e.pc = pc
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}); err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	answer, err := pc.CreateAnswer(nil)
	gathered := webrtc.GatheringCompletePromise(pc)
	if err != nil || pc.SetLocalDescription(answer) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	<-gathered
	h := w.Header()
	h.Set("Content-Type", "application/sdp")
	h.Set("ETag", `"xyzzy"`)
	h.Set("Location", "/whip/live/1")
	if e.location != "" {
		h.Set("Location", e.location)
	}
	h.Add("Link", `<stun:127.0.0.1:9>; rel="ice-server"`)
	w.WriteHeader(http.StatusCreated)
	sdp := pc.LocalDescription().SDP
	if e.spoil != nil {
		sdp = e.spoil(sdp)
	}
	_, _ = io.WriteString(w, sdp)
}

// receiver is a connection that receives one stream, with the library's receiver reports.
func receiver() (*webrtc.PeerConnection, error) {
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	codecs, reports := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureRTCPReports(reports); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(reports))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		go func() { // the library processes the sender's reports only while they are read
			for {
				if _, _, err := r.ReadRTCP(); err != nil {
					return
				}
			}
		}()
		for {
			if _, _, err := t.ReadRTP(); err != nil {
				return
			}
		}
	})
	return pc, nil
}

func (e *whipEndpoint) check(t *testing.T, token string) *report.Conference {
	t.Helper()
	p, err := conference.Find(t.Context(), conference.Config{Address: e.address, RootCAs: e.roots, Token: token, Direct: true}, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return r.Data.(*report.Conference)
}

// TestWHIP: the voice is sent to an endpoint that returns none. Only what it reports is
// known, and the session is ended.
func TestWHIP(t *testing.T) {
	t.Parallel()
	e := &whipEndpoint{token: "geheim"}
	e.start(t)
	stop := conferencetest.Delays(t)
	got := e.check(t, "geheim")
	_, delayMS := stop() // the longest: there are only a few round trips
	conferencetest.Want(t, got, map[report.ConferenceStep]string{
		report.StepAPI: "ok", report.StepSignIn: "ok", report.StepRelay: "skipped no_relay", report.StepCall: "ok", report.StepPath: "ok",
		report.StepKeys: "ok", report.StepSoundUp: "ok", report.StepSoundDown: "unknown not_returned",
	})
	m := got.Media
	if m == nil || m.UpLossPct == nil || *m.UpLossPct > 1 || m.UpJitterMS == nil || m.RTTP50MS == nil || *m.RTTP50MS > 20+delayMS || *m.UpReceived < 100 {
		b, _ := json.Marshal(m)
		t.Errorf("figures on loopback: got %s, want no loss, and a round trip of at most 20 ms and the delays of this computer, %.1f ms", b, delayMS)
	}
	if m != nil && (m.DownLossPct != nil || m.DownReceived != nil || m.DownJitterMS != nil) {
		t.Errorf("downstream: got loss %v, received %v, jitter %v, want none", m.DownLossPct, m.DownReceived, m.DownJitterMS)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	// RFC 9725 §4.2: the client only sends.
	if !strings.Contains(e.offered, "a=sendonly") {
		t.Errorf("got the offer\n%s\nwant a=sendonly", e.offered)
	}
	if e.posted != 1 || e.ended != 1 {
		t.Errorf("got %d sessions opened and %d ended, want 1 and 1", e.posted, e.ended)
	}
}

func TestWHIPRefuses(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	busy := func(seconds string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", seconds)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	sdp := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/sdp")
			w.Header().Set("Location", "/whip/live/1")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer        http.HandlerFunc
		token         string
		steps         map[report.ConferenceStep]string
		posted, ended int
	}{
		"a token":          {status(401), "", map[report.ConferenceStep]string{report.StepSignIn: "unknown needs_link", report.StepCall: "unknown needs_link"}, 1, 0},
		"this token":       {status(403), "alt", map[report.ConferenceStep]string{report.StepSignIn: "fail token_refused", report.StepCall: "unknown step_before"}, 1, 0},
		"the offer":        {status(422), "", map[report.ConferenceStep]string{report.StepSignIn: "fail 422"}, 1, 0},
		"broken":           {status(500), "", map[report.ConferenceStep]string{report.StepSignIn: "fail 500"}, 1, 0},
		"busy for long":    {busy("30"), "", map[report.ConferenceStep]string{report.StepSignIn: "fail 503"}, 1, 0},
		"busy for short":   {busy("1"), "", map[report.ConferenceStep]string{report.StepSignIn: "fail 503"}, 2, 0},
		"busy without end": {busy("99999999999999999999"), "", map[report.ConferenceStep]string{report.StepSignIn: "fail 503"}, 1, 0},
		"a web page":       {text(200, "<html>Wartung</html>"), "", map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}, 1, 0},
		"nonsense":         {sdp("v=0\r\nnonsense"), "", map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepCall: "fail bad_answer"}, 1, 1},
		"huge":             {sdp(strings.Repeat("a", 2<<20)), "", map[report.ConferenceStep]string{report.StepSignIn: "fail too_long"}, 1, 0},
		"long":             {sdp(strings.Repeat("a", 100<<10)), "", map[report.ConferenceStep]string{report.StepSignIn: "fail not_api"}, 1, 1},
		"hangs":            {hangs, "", map[report.ConferenceStep]string{report.StepSignIn: "fail timeout"}, 1, 0},
		"loops": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/whip/live", http.StatusTemporaryRedirect)
		}, "", map[report.ConferenceStep]string{report.StepSignIn: "fail redirect_loop"}, 6, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &whipEndpoint{before: c.answer}
			e.start(t)
			conferencetest.Want(t, e.check(t, c.token), c.steps)
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.posted != c.posted || e.ended != c.ended {
				t.Errorf("got %d offers and %d ends, want %d and %d", e.posted, e.ended, c.posted, c.ended)
			}
		})
	}
}

func TestWHIPFaults(t *testing.T) {
	replace := func(old, by string) func(string) string {
		return func(sdp string) string { return strings.ReplaceAll(sdp, old, by) }
	}
	for name, c := range map[string]struct {
		endpoint *whipEndpoint
		steps    map[report.ConferenceStep]string
		ended    int
	}{
		"other password":          {&whipEndpoint{spoil: replace("a=ice-pwd:", "a=ice-pwd:other")}, map[report.ConferenceStep]string{report.StepCall: "ok", report.StepPath: "fail no_path"}, 1},
		"other key":               {&whipEndpoint{spoil: replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ")}, map[report.ConferenceStep]string{report.StepSignIn: "ok"}, 1},
		"session elsewhere":       {&whipEndpoint{location: "https://192.0.2.1/admin/delete"}, map[report.ConferenceStep]string{report.StepSignIn: "ok no_location", report.StepSoundUp: "ok"}, 0},
		"invalid session address": {&whipEndpoint{location: "::"}, map[report.ConferenceStep]string{report.StepSignIn: "ok no_location", report.StepSoundUp: "ok"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.endpoint.start(t)
			conferencetest.Want(t, c.endpoint.check(t, ""), c.steps)
			c.endpoint.mu.Lock()
			defer c.endpoint.mu.Unlock()
			if c.endpoint.ended != c.ended {
				t.Errorf("got %d ends, want %d", c.endpoint.ended, c.ended)
			}
		})
	}
}

// TestWHIPRedirects: a load balancer redirects the offer (RFC 9725 §4.5). The step names
// the host, and the token is sent to the first host only.
func TestWHIPRedirects(t *testing.T) {
	t.Parallel()
	var second whipEndpoint
	second.start(t)
	var seen []string
	record := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		second.mu.Lock()
		seen = append(seen, r.Header.Get("Authorization"))
		second.mu.Unlock()
		second.ServeHTTP(w, r)
	})
	s := httptest.NewUnstartedServer(record)
	s.StartTLS()
	t.Cleanup(s.Close)
	first := whipEndpoint{before: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.URL+"/whip/live", http.StatusPermanentRedirect)
	}}
	first.start(t)
	first.roots.AddCert(s.Certificate())
	got := first.check(t, "geheim")
	conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepSignIn: "ok other_host", report.StepSoundUp: "ok"})
	second.mu.Lock()
	defer second.mu.Unlock()
	if second.ended != 1 {
		t.Errorf("got %d ends, want 1", second.ended)
	}
	for _, header := range seen {
		if header != "" {
			t.Errorf("to another host: got token %q, want none", header)
		}
	}
}

// TestWHIPRequestsWithoutSecrets: the path of a redirect may contain a token, which the list of
// requests does not contain.
func TestWHIPRequestsWithoutSecrets(t *testing.T) {
	t.Parallel()
	secrets := []string{"eyJhbGciOiJIUzI1NiJ9", "geheim", "sitzung"}
	second, roots := startTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/sdp")
			w.Header().Set("Location", "/whip/"+secrets[0]+"/"+secrets[1]+"/"+secrets[2])
			w.WriteHeader(http.StatusCreated)
		}
	}))
	first := whipEndpoint{before: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, second+"/whip/"+secrets[0]+"/"+secrets[1], http.StatusTemporaryRedirect)
	}}
	first.start(t)
	var mu sync.Mutex
	var shown []string
	run(t, conference.Config{Address: first.address, RootCAs: roots, Direct: true, Requested: func(r visit.Request) {
		mu.Lock()
		defer mu.Unlock()
		shown = append(shown, r.Method+" "+r.URL)
	}})
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(shown, "\n")
	for _, s := range secrets {
		if strings.Contains(all, s) {
			t.Errorf("got the requests\n%s\nwant none with %q", all, s)
		}
	}
	if len(shown) != 4 || shown[1] != "POST "+first.address || !strings.HasPrefix(shown[3], "DELETE "+second) {
		t.Errorf("got the requests\n%s\nwant OPTIONS and POST to the target, POST and DELETE to the other host", all)
	}
}

// TestWHIPOptionsRedirected: the step names a redirect to another host. One that leaves https, as
// by a filter, is a fault.
func TestWHIPOptionsRedirected(t *testing.T) {
	for to, want := range map[string]string{"https://edge.example/whip": "ok other_host", "http://block.example/": "fail redirected"} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			address, roots := startTLS(t, http.RedirectHandler(to, http.StatusTemporaryRedirect))
			_, got := run(t, conference.Config{Address: address + "/whip", RootCAs: roots, NoMedia: true, Direct: true})
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepAPI: want})
			if (got.Reachable != nil) != (want[:2] == "ok") {
				t.Errorf("got reachable %v, want it with ok only", got.Reachable)
			}
		})
	}
}

// TestWHIPStopped: a cancelled check ends its session.
func TestWHIPStopped(t *testing.T) {
	var e whipEndpoint
	e.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := conference.Find(ctx, conference.Config{Address: e.address, RootCAs: e.roots, Direct: true}, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { _, err := p.Run(ctx, probetest.Env(t)); done <- err }()
	count := func() (posted, ended int) { e.mu.Lock(); defer e.mu.Unlock(); return e.posted, e.ended }
	for deadline := time.Now().Add(10 * time.Second); ; {
		if posted, _ := count(); posted == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("got no offer within the deadline")
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.AfterFunc(500*time.Millisecond, cancel) // during the stream
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, ended := count(); ended != 1 {
		t.Errorf("got %d ends, want 1", ended)
	}
}

package target

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// outcomes returns the results of the steps, as in "ok, fail".
func outcomes(t *testing.T, target Target) (string, []Step) {
	t.Helper()
	steps, err := NewTester(time.Now, rand.Reader).Test(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, s := range steps {
		words = append(words, string(s.Outcome))
	}
	shown, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{target.Secret, target.APISecret, "checksum"} {
		if secret != "" && strings.Contains(string(shown), secret) {
			t.Errorf("the steps contain a secret: %s", shown)
		}
	}
	return strings.Join(words, ", "), steps
}

// bigBlueButton accepts one hash with the secret "geheim".
func bigBlueButton(accepts string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/bigbluebutton/api", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<response><returncode>SUCCESS</returncode><version>2.0</version></response>`)
	})
	mux.HandleFunc("/bigbluebutton/api/isMeetingRunning", func(w http.ResponseWriter, r *http.Request) {
		query, sum, _ := strings.Cut(r.URL.RawQuery, "&checksum=")
		if sum != checksum(accepts, "isMeetingRunning", query, "geheim") {
			_, _ = io.WriteString(w, `<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>`)
			return
		}
		_, _ = io.WriteString(w, `{"response":{"returncode":"SUCCESS","running":"false"}}`)
	})
	return mux
}

func TestBigBlueButton(t *testing.T) {
	status := func(code int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) })
	}
	for name, c := range map[string]struct {
		server       http.Handler
		secret       string
		want, reason string
	}{
		"right":               {bigBlueButton("sha256"), "geheim", "ok, ok", ""},
		"wrong secret":        {bigBlueButton("sha256"), "other", "ok, fail", "bbb-conf --secret"},
		"another hash":        {bigBlueButton("sha1"), "geheim", "ok, fail", "--hash sha1"},
		"no secret":           {bigBlueButton("sha1"), "", "ok, unknown", "--secret-file"},
		"another server":      {status(200, "<html>"), "geheim", "fail, unknown", "step before"},
		"down":                {status(502, ""), "geheim", "fail, unknown", "step before"},
		"endless":             {status(200, strings.Repeat("x", maxAnswerBytes+1)), "geheim", "fail, unknown", "step before"},
		"redirects":           {http.RedirectHandler("https://elsewhere.example/", http.StatusFound), "geheim", "fail, unknown", "step before"},
		"an invalid response": {status(200, "<response><returncode>"), "geheim", "fail, unknown", "step before"},
		"refuses":             {status(200, `<response><returncode>FAILED</returncode></response>`), "", "fail, unknown", "step before"},
	} {
		s := httptest.NewServer(c.server)
		hash := ""
		if c.secret != "" {
			hash = defaultHash
		}
		got, steps := outcomes(t, Target{System: "bbb", URL: s.URL, Secret: c.secret, Hash: hash})
		if got != c.want || !strings.Contains(steps[1].Problem, c.reason) {
			t.Errorf("%s: got %s (%q), want %s (%q)", name, got, steps[1].Problem, c.want, c.reason)
		}
		s.Close()
	}
}

func TestLiveKit(t *testing.T) {
	for _, c := range []struct {
		ready, validate int
		secret, want    string
	}{
		{200, 200, "geheim", "ok, ok"}, {200, 401, "geheim", "ok, fail"}, {200, 404, "geheim", "ok, fail"}, {406, 200, "geheim", "fail, unknown"}, {200, 200, "", "ok, unknown"},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/livekit/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.ready) })
		mux.HandleFunc("/livekit/rtc/validate", func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer e") {
				t.Error("got no token")
			}
			w.WriteHeader(c.validate)
		})
		s := httptest.NewServer(mux)
		key := ""
		if c.secret != "" {
			key = "k"
		}
		if got, _ := outcomes(t, Target{System: "livekit", URL: s.URL + "/livekit/rtc/v1", APIKey: key, APISecret: c.secret}); got != c.want {
			t.Errorf("%+v: got %s, want %s", c, got, c.want)
		}
		s.Close()
	}
}

func TestOtherSystems(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/janus/info", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"janus":"server_info"}`) })
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("OPTIONS /whip/x", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	s := httptest.NewServer(mux)
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ system, url, want string }{
		{"janus", s.URL + "/janus", "ok, unknown"}, {"janus", s.URL + "/other", "fail, unknown"}, {"janus", "ws://" + u.Host, "ok, unknown"},
		{"whip", s.URL + "/whip/x", "ok, unknown"}, {"whip", s.URL + "/nothing", "fail, unknown"},
		{"zoom", s.URL, "ok, unknown"}, {"zoom", s.URL + "/nothing", "fail, unknown"}, {"youtube", "rtmp://" + u.Host, "ok, unknown"}, {"youtube", "rtmps://" + u.Host, "fail, unknown"},
	} {
		if got, steps := outcomes(t, Target{System: c.system, URL: c.url}); got != c.want {
			t.Errorf("%s %s: got %s %s; want %s", c.system, c.url, got, fmt.Sprint(steps), c.want)
		}
	}
}

// TestNoSecretNeeded: a system without secrets is not described as one whose secret could
// not be tested.
func TestNoSecretNeeded(t *testing.T) {
	for _, system := range []string{"janus", "zoom", "youtube"} {
		_, steps := outcomes(t, Target{System: system, URL: "https://127.0.0.1:1"})
		if last := steps[len(steps)-1]; last.Name != "secret" || last.Outcome != Untested || last.Problem != "this system needs no secret" {
			t.Errorf("%s: got %+v; want secret untested because this system needs no secret", system, last)
		}
	}
}

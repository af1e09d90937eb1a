package enroll

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

const agentID = "8f14e45f-ceea-467f-9d4f-000000000001"

func TestNormalizeCode(t *testing.T) {
	for in, want := range map[string]string{
		"k7p3-qx9a":                 "K7P3QX9A",
		" K7P3 QX9A\n":              "K7P3QX9A",
		"oil0-1234":                 "01101234",
		"K7P3\u2013QX9A":            "K7P3QX9A",
		"":                          "",
		"abc":                       "",
		"K7P3-QX9U":                 "", // Crockford's base32 has no U
		"<script>":                  "",
		"АААААААА":                  "", // Cyrillic
		string(make([]byte, 1<<20)): "",
	} {
		got, err := NormalizeCode(in)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrCodeForm) {
			t.Errorf("%.20q: got %q, error %v; want %q, ErrCodeForm if empty", in, got, err, want)
		}
	}
}

func serve(t *testing.T, status int, body string) *collector.Endpoint {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return &collector.Endpoint{URL: s.URL}
}

func run(t *testing.T, e *collector.Endpoint) (*identity.Identity, error) {
	return Run(t.Context(), e, "k7p3-qx9a", identity.Identity{AgentID: agentID}, "1.2.3", time.Now())
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"wrong code": {404, `{"error":{"code":"enroll_code_invalid","message":"no"}}`, ErrCodeInvalid},
		"not ours":   {404, `<html>not found</html>`, ErrCollector},
		"too many":   {429, `{"error":{"code":"rate_limited","message":"slow"}}`, ErrTooMany},
		"broken":     {500, ``, ErrUnreachable},
		"redirect":   {302, ``, ErrCollector},
		"portal":     {200, `<html>hotel</html>`, ErrCollector},
		"half":       {201, `{"agent_id":"8f14`, ErrCollector},
		"no token":   {201, `{"agent_id":"` + agentID + `"}`, ErrCollector},
		"strange id": {201, `{"agent_id":"../../x","token":"t"}`, ErrCollector},
	} {
		t.Run(name, func(t *testing.T) {
			if id, err := run(t, serve(t, c.status, c.body)); !errors.Is(err, c.want) || id != nil {
				t.Errorf("got %v, error %v; want nil, %v", id, err, c.want)
			}
		})
	}
}

func TestEnrolled(t *testing.T) {
	var got wire.EnrollRequest
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/enroll" || r.Method != http.MethodPost {
			t.Errorf("got %s %s, want POST /api/v1/enroll", r.Method, r.URL)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"agent_id":"`+agentID+`","token":"secret","participant":"Anna Beispiel"}`)
	}))
	t.Cleanup(s.Close)
	id, err := run(t, &collector.Endpoint{URL: s.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != "K7P3QX9A" || got.AgentID != agentID || got.Agent.Version != "1.2.3" {
		t.Errorf("got request %+v; want Code %q, AgentID %v, Agent Version %q", got, "K7P3QX9A", agentID, "1.2.3")
	}
	if id.AgentID != agentID || id.Enrolment.Token != "secret" || id.Enrolment.Server != s.URL {
		t.Errorf("got agent %s, enrolment %+v; want %s, Token secret, Server %s", id.AgentID, id.Enrolment, agentID, s.URL)
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	if _, err := run(t, &collector.Endpoint{URL: s.URL}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got error %v, want %v", err, ErrUnreachable)
	}
}

func TestCertificate(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"agent_id":"`+agentID+`","token":"secret","participant":"x"}`)
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	if _, err := run(t, &collector.Endpoint{URL: s.URL}); !errors.Is(err, ErrUntrusted) {
		t.Errorf("without --ca: got error %v, want %v", err, ErrUntrusted)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	ca, err := collector.ReadCA(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, &collector.Endpoint{URL: s.URL, RootCAs: collector.RootCAs(ca)}); err != nil {
		t.Errorf("with --ca: got error %v, want nil", err)
	}
}

func TestHTTPIsRefused(t *testing.T) {
	var bad *origin.Error
	if _, err := run(t, &collector.Endpoint{URL: "http://collector.example.org"}); !errors.As(err, &bad) || bad.Fault != origin.FaultPlain {
		t.Errorf("got error %v, want an *origin.Error with %v", err, origin.FaultPlain)
	}
}

func TestInvalidToken(t *testing.T) {
	for _, token := range []string{"", `a\r\nX-Evil: 1`, "a b", "\u00e4"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"agent_id":"`+agentID+`","token":"`+token+`","participant":"x"}`)
		}))
		t.Cleanup(s.Close)
		if _, err := run(t, &collector.Endpoint{URL: s.URL}); !errors.Is(err, ErrCollector) {
			t.Errorf("token %q: got error %v; want %v", token, err, ErrCollector)
		}
	}
}

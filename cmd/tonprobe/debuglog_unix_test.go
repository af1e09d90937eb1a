//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// secrets collects the secrets that were transmitted between agent and collector.
type secrets struct {
	mu  sync.Mutex
	all map[string]string // secret -> where it was seen
}

func (s *secrets) add(where string, found ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range found {
		if len(secret) > 3 {
			s.all[secret] = where
		}
	}
}

var reICE = regexp.MustCompile(`a=ice-(?:ufrag|pwd):(\S+)`)

func (s *secrets) sdp(where string, body []byte) {
	for _, m := range reICE.FindAllSubmatch(body, -1) {
		s.add(where, string(m[1]))
	}
}

// listen starts a proxy between agent and collector that records every secret.
func (s *secrets) listen(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.SetXForwarded()
		if _, token, ok := strings.Cut(p.In.Header.Get("Authorization"), "Bearer "); ok {
			s.add("bearer token", token)
		}
		if p.In.Method == http.MethodPost && strings.HasSuffix(p.In.URL.Path, "/echo") {
			body, _ := io.ReadAll(p.In.Body)
			p.Out.Body = io.NopCloser(bytes.NewReader(body))
			s.sdp("offer", body)
		}
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.StatusCode == http.StatusSwitchingProtocols {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.sdp("answer", body)
		var ice struct {
			Servers []struct{ Username, Credential string } `json:"iceServers"`
		}
		if json.Unmarshal(body, &ice) == nil {
			for _, server := range ice.Servers {
				s.add("TURN credential", server.Credential)
			}
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// TestDebugLogsContainNoSecret: a log at debug level is sent to support unmodified: it must not
// contain a secret of the enrolment, of the check, of the media path or of the meeting.
func TestDebugLogsContainNoSecret(t *testing.T) {
	var collectorLog syncBuffer
	c := startCollectorWith(t, &collectorLog, "--log-level", "debug")
	s := &secrets{all: map[string]string{}}
	at := s.listen(t, c.url)
	a := agent{t, filepath.Join(t.TempDir(), "data")}

	code := c.invite(t)
	s.add("enrolment code", code, strings.ReplaceAll(code, "-", ""))
	a.run("enroll", code, "--server", at)
	const meeting = "GeheimeSitzung4711"
	s.add("meeting", meeting)
	check := a.command("check", "--no-audio", "--verbose", "--target", at+"/rooms/"+meeting+"?sessionToken="+meeting)
	var agentLog bytes.Buffer
	check.Stderr = &agentLog
	_ = check.Run() // the verdict does not matter

	if !strings.Contains(agentLog.String(), "level=DEBUG") || !strings.Contains(collectorLog.String(), "level=") {
		t.Fatalf("no log at debug level:\n%s\n%s", agentLog.String(), collectorLog.String())
	}
	s.mu.Lock() // the proxy may still pass a request whose response the agent has not awaited
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for secret, where := range s.all {
		seen[where] = true
		for name, log := range map[string]string{"agent": agentLog.String(), "collector": collectorLog.String()} {
			if i := strings.Index(log, secret); i >= 0 {
				line := log[strings.LastIndex(log[:i], "\n")+1:]
				line, _, _ = strings.Cut(line, "\n")
				t.Errorf("the log of the %s contains the %s: %s", name, where, line)
			}
		}
	}
	for _, where := range []string{"bearer token", "offer", "answer", "TURN credential", "enrolment code"} {
		if !seen[where] {
			t.Errorf("no %s was transmitted, so the test proves nothing", where)
		}
	}
}

// syncBuffer is a buffer for concurrent use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

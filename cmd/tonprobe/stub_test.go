package main

import (
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// stub is a collector that stores what it receives in memory and has no reflector.
type stub struct {
	mu     sync.Mutex
	stored map[string]int // how often each report id arrived
	refuse int            // status for every report; 0 means accepted
	// withhold delays the response to reports until the agent has exited; arrived
	// receives a value for each.
	withhold bool
	arrived  chan struct{}
}

func (s *stub) setWithhold(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withhold = v
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /api/v1/enroll":
		s.enroll(w, r)
	case "POST /api/v1/reports":
		s.reports(w, r)
	case "GET /api/v1/targets":
		if r.Header.Get("Authorization") != "Bearer secret-token" {
			stubError(w, http.StatusUnauthorized, "token_invalid")
			return
		}
		fmt.Fprint(w, `{"targets":[{"name":"Rathaus","system":"bbb","url":"https://127.0.0.1:1","profile":"strict"},`+
			`{"name":"lk","system":"livekit","url":"https://127.0.0.1:1","profile":"bbb","room":{"name":"r","publish_token":"secret-1","subscribe_token":"secret-2"}}]}`)
	case "POST /api/v1/own-page":
		if r.Header.Get("Authorization") != "Bearer secret-token" {
			stubError(w, http.StatusUnauthorized, "token_invalid")
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"code":"K7P3-QXM2-RT5Z","expires_at":"2026-03-04T18:10:00Z"}`)
	case "GET /":
		fmt.Fprintln(w, "collector")
	default:
		stubError(w, http.StatusNotFound, "not_found")
	}
}

func stubError(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%q,"message":"<script>alert(1)</script>"}}`, code)
}

func (s *stub) enroll(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Code    string `json:"code"`
		AgentID string `json:"agent_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		stubError(w, http.StatusBadRequest, "body_malformed")
		return
	}
	switch q.Code {
	case "K7P3QX9A":
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"agent_id":%q,"token":"secret-token","participant":"Anna Beispiel"}`, q.AgentID)
	case "T00MANY0":
		stubError(w, http.StatusTooManyRequests, "rate_limited")
	default:
		stubError(w, http.StatusNotFound, "enroll_code_invalid")
	}
}

func (s *stub) reports(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		stubError(w, http.StatusBadRequest, "body_malformed")
		return
	}
	var in struct {
		Reports []struct {
			ID string `json:"id"`
		} `json:"reports"`
	}
	if err := json.NewDecoder(z).Decode(&in); err != nil {
		stubError(w, http.StatusBadRequest, "body_malformed")
		return
	}
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != 0 {
		stubError(w, refuse, map[int]string{401: "token_invalid", 403: "participant_blocked", 500: "internal", 503: "unavailable"}[refuse])
		return
	}
	type result struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	var out []result
	s.mu.Lock()
	for _, q := range in.Reports {
		status := "stored"
		if s.stored[q.ID] > 0 {
			status = "duplicate"
		}
		s.stored[q.ID]++
		out = append(out, result{q.ID, status})
	}
	withhold := s.withhold
	s.mu.Unlock()
	if withhold {
		s.arrived <- struct{}{}
		<-r.Context().Done()
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"results": out})
}

// stubs are the stubs started by scripts, so that later commands find them.
var stubs struct {
	mu  sync.Mutex
	all []*stub
}

func remember(s *stub) int {
	stubs.mu.Lock()
	defer stubs.mu.Unlock()
	stubs.all = append(stubs.all, s)
	return len(stubs.all) - 1
}

func stubOf(ts *testscript.TestScript) *stub {
	n, err := strconv.Atoi(ts.Getenv("STUB"))
	ts.Check(err)
	stubs.mu.Lock()
	defer stubs.mu.Unlock()
	return stubs.all[n]
}

// cmdRefuse sets the last stub's status for reports: refuse STATUS, 0 to accept.
func cmdRefuse(ts *testscript.TestScript, neg bool, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := stubOf(ts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = status
}

// cmdStored checks the number of different reports that the last stub has: stored
// N.
func cmdStored(ts *testscript.TestScript, neg bool, args []string) {
	s := stubOf(ts)
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strconv.Itoa(len(s.stored)); got != args[0] {
		ts.Fatalf("%s reports stored, want %s", got, args[0])
	}
}

// cmdStub starts a collector for a script: stub [tls|401|403]. It sets $URL
// and writes ca.pem for tls.
func cmdStub(ts *testscript.TestScript, neg bool, args []string) {
	s := &stub{stored: map[string]int{}}
	start := httptest.NewServer
	for _, a := range args {
		switch a {
		case "tls":
			start = httptest.NewTLSServer
		case "401":
			s.refuse = http.StatusUnauthorized
		case "403":
			s.refuse = http.StatusForbidden
		default:
			ts.Fatalf("usage: stub [tls|401|403]")
		}
	}
	ts.Setenv("STUB", strconv.Itoa(remember(s)))
	server := start(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.Defer(server.Close)
	ts.Setenv("URL", server.URL)
	if c := server.Certificate(); c != nil {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "ca.pem"), block, 0o600))
	}
}

//go:build unix

package station

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// enrolledPerson returns the settings of a person who was enrolled without the service, and whose
// token was replaced.
func enrolledPerson(t *testing.T, socket, server string) config.Config {
	t.Helper()
	c := config.Default(filepath.Join(t.TempDir(), "data"))
	c.Socket = socket
	err := identity.Update(c.Data, func(id *identity.Identity) error {
		id.AgentID = testAgentID
		id.Enrolment = &identity.Enrolment{Server: server, Token: "new", FormerToken: "old", Participant: "Anna", EnrolledAt: renewedAt, RenewAt: renewedAt}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMergeWaitsForARenewal: the service takes over the token that another program of the person is
// just replacing, and not the former one.
func TestMergeWaitsForARenewal(t *testing.T) {
	service := t.TempDir()
	socket, _ := serve(t, service)
	c := enrolledPerson(t, socket, "http://127.0.0.1:1")
	unlock, err := durable.Lock(filepath.Join(c.Data, tokenLock))
	if err != nil {
		t.Fatal(err)
	}
	connected := make(chan Connection, 1)
	go func() {
		_, how, err := Connect(t.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Error(err)
		}
		connected <- how
	}()
	waitForMerge(t, func() bool { return len(connected) > 0 })
	err = identity.Update(c.Data, func(id *identity.Identity) error {
		id.Enrolment.Token, id.Enrolment.FormerToken = "newest", "new"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if how := <-connected; how != Merged {
		t.Errorf("got connection %s, want %s", how, Merged)
	}
	id, err := identity.Load(service)
	if err != nil || id.Enrolment == nil || id.Enrolment.Token != "newest" || id.Enrolment.FormerToken != "new" {
		t.Errorf("the service has %+v, %v, want the newest token", id, err)
	}
	if id, err := identity.Load(c.Data); err == nil {
		t.Errorf("the person still has %+v", id)
	}
}

// waitForMerge returns when a merge waits for the lock of the token, or has ended without waiting.
func waitForMerge(t *testing.T, over func() bool) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	waits := func(one string) bool {
		return strings.Contains(one, "durable.Lock(") && strings.Contains(one, ".merge(") && !strings.Contains(one, "identity.")
	}
	for deadline := time.Now().Add(time.Minute); !over(); time.Sleep(time.Millisecond) {
		goroutines := strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
		if slices.ContainsFunc(goroutines, waits) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no merge waits for the lock")
		}
	}
}

// TestMergeWithAnOlderService: a service that does not support former tokens gets the one that the
// collector accepts.
func TestMergeWithAnOlderService(t *testing.T) {
	for valid, want := range map[string]Connection{"new": Merged, "old": Merged, "none": NotMerged} {
		t.Run(valid, func(t *testing.T) {
			collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+valid {
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = io.WriteString(w, `{"error":{"code":"token_invalid","message":"no"}}`)
					return
				}
				_ = json.NewEncoder(w).Encode(wire.TokenState{})
			}))
			defer collector.Close()
			socket, adopted := oldService(t)
			c := enrolledPerson(t, socket, collector.URL)
			_, how, err := Connect(t.Context(), c, slog.New(slog.DiscardHandler))
			if err != nil || how != want {
				t.Errorf("got connection %s, %v, want %s", how, err, want)
			}
			token, _ := adopted.Load().(string)
			if want == Merged && token != valid || want == NotMerged && token != "" {
				t.Errorf("the service has token %q, want %q", token, valid)
			}
			if _, err := identity.Load(c.Data); (err == nil) != (want == NotMerged) {
				t.Errorf("the identity of the person: got error %v, want one unless %v", err, NotMerged)
			}
		})
	}
}

// TestAnswerToTheHandOverIsLost: the service has taken over the identity, but the program does not learn it,
// or only with its next question. The token of the service remains valid.
func TestAnswerToTheHandOverIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		stopped bool // after the hand-over, until the next start
		want    Connection
	}{"an answer": {false, Merged}, "the service is restarted": {true, NotMerged}} {
		t.Run(name, func(t *testing.T) {
			tokens := newTokenCollector(t)
			socket, stopped := forgetfulService(t, c.stopped)
			person := enrolledPerson(t, socket, tokens.URL)
			if err := identity.Update(person.Data, func(id *identity.Identity) error {
				id.Enrolment.Token, id.Enrolment.FormerToken = tokens.current, ""
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			renew := func(st *Station) {
				sp, err := OpenSpool(t.Context(), person, st.log)
				if err != nil {
					t.Fatal(err)
				}
				(&Delivery{Station: st, rest: st.uplink(sp)}).SendRest(t.Context())
			}
			st, how, err := Connect(t.Context(), person, slog.New(slog.DiscardHandler))
			if err != nil || how != c.want {
				t.Fatalf("got connection %s, %v, want %s", how, err, c.want)
			}
			_, err = identity.Load(person.Data)
			if (err == nil) != c.stopped {
				t.Errorf("the identity of the person: got error %v, want none only if the service was restarted", err)
			}
			renew(st)
			stopped.Store(false)
			if _, how, err := Connect(t.Context(), person, slog.New(slog.DiscardHandler)); err != nil || how != Service {
				t.Errorf("at the next start: got connection %s, %v, want %s", how, err, Service)
			}
			stopped.Store(true)
			st, how, err = Connect(t.Context(), person, slog.New(slog.DiscardHandler))
			if err != nil || how != Own {
				t.Errorf("without the service: got connection %s, %v, want %s", how, err, Own)
			}
			renew(st)
			if tokens.issued != 0 {
				t.Errorf("got %d new tokens, want none: the service does not have them", tokens.issued)
			}
		})
	}
}

// forgetfulService serves a service that stores an identity, but does not answer. If stops, it answers
// nothing until stopped is false.
func forgetfulService(t *testing.T, stops bool) (socket string, stopped *atomic.Bool) {
	t.Helper()
	stopped = &atomic.Bool{}
	socket = filepath.Join(t.TempDir(), "agent.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var taken atomic.Pointer[identity.Identity]
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		if stopped.Load() {
			panic(http.ErrAbortHandler)
		}
		s := local.Status{AgentID: "00000000-0000-4000-8000-000000000000", Data: "/var/lib/tonprobe", Targets: wire.Targets{Targets: []wire.Target{}}}
		if id := taken.Load(); id != nil {
			s.AgentID, s.Enrolment = id.AgentID, local.Public(id.Enrolment)
		}
		_ = json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc("POST /v1/adopt", func(_ http.ResponseWriter, r *http.Request) {
		id := new(identity.Identity)
		if err := json.NewDecoder(r.Body).Decode(id); err != nil {
			t.Error(err)
		}
		taken.Store(id)
		stopped.Store(stops)
		panic(http.ErrAbortHandler)
	})
	server := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return socket, stopped
}

// oldService serves what a version without renewals of tokens did.
func oldService(t *testing.T) (socket string, adopted *atomic.Value) {
	t.Helper()
	adopted = &atomic.Value{}
	socket = filepath.Join(t.TempDir(), "agent.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	status := local.Status{Version: "0.9", AgentID: testAgentID, Data: "/var/lib/tonprobe", Targets: wire.Targets{Targets: []wire.Target{}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		s := status
		s.AgentID = "00000000-0000-4000-8000-000000000000"
		_ = json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc("POST /v1/adopt", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var id identity.Identity
		if strings.Contains(string(b), "former_token") || strings.Contains(string(b), "renew_at") || json.Unmarshal(b, &id) != nil {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"code":"invalid"}`)
			return
		}
		adopted.Store(id.Enrolment.Token)
		s := status
		s.Enrolment = local.Public(id.Enrolment)
		_ = json.NewEncoder(w).Encode(s)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return socket, adopted
}

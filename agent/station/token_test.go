package station

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// tokenCollector issues tokens as a collector does, and interrupts requests.
type tokenCollector struct {
	*httptest.Server

	mu            sync.Mutex
	current, next string
	former        map[string]bool
	asks, old     bool
	issued        int
	// fault is called for each request about the token, before and after its effect. If it returns
	// true, the connection is closed.
	fault func(method string, done bool) bool
}

func newTokenCollector(t *testing.T) *tokenCollector {
	c := &tokenCollector{current: "token-0", former: map[string]bool{}, fault: func(string, bool) bool { return false }}
	c.Server = httptest.NewServer(c)
	c.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(c.Close)
	return c
}

// set changes c while no request is being answered, as an interrupted one still may be.
func (c *tokenCollector) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *tokenCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault(r.Method, false) {
		panic(http.ErrAbortHandler)
	}
	status, body := c.answer(r)
	if c.fault(r.Method, true) {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (c *tokenCollector) answer(r *http.Request) (status int, body any) {
	type named struct {
		Code string `json:"code"`
	}
	refused := func(status int, code string) (int, any) {
		return status, struct {
			Error named `json:"error"`
		}{named{code}}
	}
	token := r.Header.Get("Authorization")[len("Bearer "):]
	switch {
	case c.old:
		return refused(http.StatusNotFound, "not_found")
	case token == c.next:
		c.former[c.current] = true
		c.current, c.next, c.asks = c.next, "", false
	case c.former[token]:
		return refused(http.StatusUnauthorized, wire.CodeTokenReplaced)
	case token != c.current:
		return refused(http.StatusUnauthorized, wire.CodeTokenInvalid)
	}
	if r.Method == http.MethodPost {
		c.issued++
		c.next = fmt.Sprint("token-", c.issued)
		return http.StatusCreated, wire.TokenResponse{Token: c.next}
	}
	return http.StatusOK, wire.TokenState{Renew: c.asks}
}

var renewedAt = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

// enrolledAt returns the configuration of an agent that is enrolled at c, with a token that is due.
func enrolledAt(t *testing.T, c *tokenCollector) config.Config {
	t.Helper()
	dir := config.Config{Data: t.TempDir()}
	err := identity.Update(dir.Data, func(id *identity.Identity) error {
		*id = identity.Identity{AgentID: uuid.NewString(), CreatedAt: renewedAt, Enrolment: &identity.Enrolment{
			Server: c.URL, Token: c.current, Participant: "A", EnrolledAt: renewedAt, RenewAt: renewedAt}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func openStation(t *testing.T, c config.Config) *Station {
	t.Helper()
	s, err := Open(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func half() float64 { return 0.5 }

// wantAccess checks that the collector accepts the agent.
func wantAccess(t *testing.T, what string, s *Station) {
	t.Helper()
	e := s.Collector()
	if _, err := askToken(t.Context(), e, e.Client(), http.MethodGet, http.StatusOK, new(wire.TokenState)); err != nil {
		t.Errorf("%s: got error %v, want access", what, err)
	}
}

func TestTokenIsReplacedWhenDue(t *testing.T) {
	c := newTokenCollector(t)
	dir := enrolledAt(t, c)
	before := openStation(t, dir)
	for _, step := range []struct {
		name  string
		at    time.Time
		asked bool // by the collector
		want  string
	}{
		{"not due", renewedAt.Add(-time.Minute), false, "token-0"},
		{"due", renewedAt, false, "token-1"},
		{"a day later", renewedAt.AddDate(0, 0, 1), false, "token-1"},
		{"asked", renewedAt.AddDate(0, 0, 1), true, "token-2"},
		{"at the random age", renewedAt.AddDate(0, 0, 28), false, "token-3"},
	} {
		c.asks = step.asked
		if err := openStation(t, dir).renewToken(t.Context(), step.asked, step.at, half); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if c.current != step.want || c.next != "" {
			t.Errorf("%s: the collector has %s and %q, want %s in use", step.name, c.current, c.next, step.want)
		}
	}
	wantAccess(t, "a program that was open all the time", before)
	if err := before.updateEnrolment(func(e *identity.Enrolment) { e.SupportPhone = "0228 1" }); err != nil {
		t.Fatal(err)
	}
	if got := openStation(t, dir).SupportPhone(); got != "0228 1" {
		t.Errorf("got phone %q for that program, want 0228 1", got)
	}
}

// TestAgentsOfOlderVersionsGetARandomTime: they are not due on the same day.
func TestAgentsOfOlderVersionsGetARandomTime(t *testing.T) {
	for name, at := range map[string]time.Time{"no time": {}, "the clock was wrong": renewedAt.AddDate(20, 0, 0)} {
		c := newTokenCollector(t)
		dir := enrolledAt(t, c)
		s := openStation(t, dir)
		if err := s.updateEnrolment(func(e *identity.Enrolment) { e.RenewAt = at }); err != nil {
			t.Fatal(err)
		}
		if err := s.renewToken(t.Context(), false, renewedAt, half); err != nil || c.issued != 0 {
			t.Errorf("%s: got %d tokens, error %v; want none", name, c.issued, err)
		}
		if got, want := openStation(t, dir).id.Enrolment.RenewAt, renewedAt.Add(maxTokenAge/2); !got.Equal(want) {
			t.Errorf("%s: got due %v, want %v", name, got, want)
		}
	}
}

func TestOldCollectorIssuesNoTokens(t *testing.T) {
	c := newTokenCollector(t)
	dir := enrolledAt(t, c)
	c.old = true
	if err := openStation(t, dir).renewToken(t.Context(), false, renewedAt, half); !errors.Is(err, errNoRenewal) {
		t.Errorf("got error %v, want %v", err, errNoRenewal)
	}
	c.old = false
	wantAccess(t, "afterwards", openStation(t, dir))
}

// TestAgentIsNeverWithoutAToken interrupts requests of several programs of one agent before or after
// their effect. A killed program leaves the same files as one whose response was lost, and starts again
// with the stored tokens.
func TestAgentIsNeverWithoutAToken(t *testing.T) {
	for seed := range uint64(10) {
		c := newTokenCollector(t)
		dir := enrolledAt(t, c)
		rng := rand.New(rand.NewPCG(seed, 12))
		faults := true
		c.fault = func(string, bool) bool { return faults && rng.IntN(4) == 0 }
		now := renewedAt
		long := openStation(t, dir) // runs during the whole test
		for range 12 {
			now = now.Add(maxTokenAge)
			var programs sync.WaitGroup
			for range 2 {
				programs.Go(func() {
					s, err := Open(dir, slog.New(slog.DiscardHandler))
					if err != nil {
						t.Error(err)
						return
					}
					_ = s.renewToken(t.Context(), false, now, half) // fails often
				})
			}
			programs.Wait()
			c.mu.Lock()
			faults = false
			c.mu.Unlock()
			wantAccess(t, fmt.Sprintf("seed %d, a program that starts", seed), openStation(t, dir))
			wantAccess(t, fmt.Sprintf("seed %d, a program that runs", seed), long)
			c.mu.Lock()
			faults = true
			c.mu.Unlock()
		}
		if len(c.former) < 3 {
			t.Errorf("seed %d: got %d replaced tokens, want at least 3 of 12", seed, len(c.former))
		}
	}
}

// TestLateRequestForAToken: a delayed request makes the stored next token invalid.
func TestLateRequestForAToken(t *testing.T) {
	c := newTokenCollector(t)
	dir := enrolledAt(t, c)
	c.set(func() {
		c.fault = func(method string, done bool) bool { return method == http.MethodGet && !done }
	})
	if err := openStation(t, dir).renewToken(t.Context(), false, renewedAt, half); err == nil {
		t.Fatal("the next token was used, want an interruption before")
	}
	c.set(func() { c.fault, c.next = func(string, bool) bool { return false }, "late" })
	wantAccess(t, "with the former token", openStation(t, dir))
	if err := openStation(t, dir).renewToken(t.Context(), false, renewedAt.Add(maxTokenAge), half); err != nil || c.current != "token-2" {
		t.Errorf("the next renewal: got %s, error %v; want token-2", c.current, err)
	}
}

// TestCollectorRestored: its backup is older than the token.
func TestCollectorRestored(t *testing.T) {
	c := newTokenCollector(t)
	dir := enrolledAt(t, c)
	if err := openStation(t, dir).renewToken(t.Context(), false, renewedAt, half); err != nil {
		t.Fatal(err)
	}
	c.set(func() { c.current, c.former = "token-0", map[string]bool{} })
	wantAccess(t, "after the restore", openStation(t, dir))
}

// TestAgentRestored: its data folder is older than the token.
func TestAgentRestored(t *testing.T) {
	c := newTokenCollector(t)
	dir := enrolledAt(t, c)
	old, err := identity.Load(dir.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := openStation(t, dir).renewToken(t.Context(), false, renewedAt, half); err != nil {
		t.Fatal(err)
	}
	copied := config.Config{Data: t.TempDir()}
	if err := identity.Update(copied.Data, func(id *identity.Identity) error { *id = *old; return nil }); err != nil {
		t.Fatal(err)
	}
	e := openStation(t, copied).Collector()
	if _, err := askToken(t.Context(), e, e.Client(), http.MethodGet, http.StatusOK, new(wire.TokenState)); err == nil {
		t.Error("the copy has access, want a refusal")
	}
	wantAccess(t, "the owner", openStation(t, dir))
}

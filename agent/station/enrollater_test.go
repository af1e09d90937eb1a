package station

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
)

// enrolling returns the address of a collector that answers enrolments with status, once it is not 0.
func enrolling(t *testing.T, status *atomic.Int32, asked *atomic.Int32) string {
	t.Helper()
	server := httptest.NewServer(enrollingHandler(t, status, asked))
	t.Cleanup(server.Close)
	return server.URL
}

func enrollingHandler(t *testing.T, status, asked *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var q struct {
			AgentID string `json:"agent_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		w.WriteHeader(int(status.Load()))
		if status.Load() == http.StatusCreated {
			fmt.Fprintf(w, `{"agent_id":%q,"token":"secret-token","participant":"Anna Beispiel"}`, q.AgentID)
			return
		}
		fmt.Fprint(w, `{"error":{"code":"enroll_code_invalid","message":"no"}}`)
	}
}

// TestEnrollLater: an invitation is stored while the collector does not answer, and removed when it was
// used, refused or has expired.
func TestEnrollLater(t *testing.T) {
	const again = http.StatusServiceUnavailable
	for name, c := range map[string]struct {
		first, second int
		after         time.Duration
		want          LaterResult
		requests      int32
	}{
		"answers at once":            {http.StatusCreated, 0, 0, LaterNone, 1},
		"answers later":              {again, http.StatusCreated, time.Hour, LaterDone, 2},
		"does not answer":            {again, again, time.Hour, LaterWaits, 2},
		"too many attempts":          {http.StatusTooManyRequests, http.StatusCreated, time.Hour, LaterDone, 2},
		"refuses later":              {again, http.StatusNotFound, time.Hour, LaterRefused, 2},
		"answers after it expired":   {again, http.StatusCreated, 32 * 24 * time.Hour, LaterDone, 2},
		"refuses after it expired":   {again, http.StatusNotFound, 32 * 24 * time.Hour, LaterRefused, 2},
		"never answers":              {again, again, 32 * 24 * time.Hour, LaterWaits, 2},
		"answers before a wrong day": {again, http.StatusCreated, -2 * 365 * 24 * time.Hour, LaterDone, 2},
		"is away on a wrong day":     {again, again, -2 * 365 * 24 * time.Hour, LaterWaits, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var status, asked atomic.Int32
			url := enrolling(t, &status, &asked)
			cfg, now := config.Default(t.TempDir()), time.Now()
			st, err := Open(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			status.Store(int32(c.first))
			first, err := st.EnrollKept(t.Context(), enroll.Invitation{Server: url, Code: "K7P3-QX9A"}, "1.0.0", now)
			if want := map[bool]LaterResult{true: LaterDone, false: LaterWaits}[c.first == http.StatusCreated]; first != want || (err == nil) != (want == LaterDone) {
				t.Fatalf("at first: got %s, %v, want %s", first, err, want)
			}
			// Another start of the program.
			if st, err = Open(cfg, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			status.Store(int32(c.second))
			got, err := st.EnrollLater(t.Context(), "1.0.0", now.Add(c.after))
			if got != c.want || (err != nil) != (got == LaterWaits || got == LaterRefused) || asked.Load() != c.requests {
				t.Errorf("later: got %s, %v after %d requests, want %s after %d", got, err, asked.Load(), c.want, c.requests)
			}
			kept, err := enroll.Kept(cfg.Data)
			if err != nil || (kept != nil) != (c.want == LaterWaits) {
				t.Errorf("got the invitation %+v, error %v; want one: %v", kept, err, c.want == LaterWaits)
			}
			id, err := identity.Load(cfg.Data)
			if err != nil || (id.Enrolment != nil) != (c.first == http.StatusCreated || c.want == LaterDone) {
				t.Errorf("got the identity %+v, error %v; want it enrolled: %v", id, err, c.first == http.StatusCreated || c.want == LaterDone)
			}
		})
	}
}

// TestEnrollLaterAfterAPerson: a person has typed a code meanwhile, so the stored one is not needed.
func TestEnrollLaterAfterAPerson(t *testing.T) {
	var status, asked atomic.Int32
	url := enrolling(t, &status, &asked)
	cfg := config.Default(t.TempDir())
	st, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	status.Store(http.StatusServiceUnavailable)
	asking := enroll.Invitation{Server: url, Code: "K7P3-QX9A"}
	if got, _ := st.EnrollKept(t.Context(), asking, "1.0.0", time.Now().Add(-time.Hour)); got != LaterWaits {
		t.Fatalf("got %s, want %s", got, LaterWaits)
	}
	kept := filepath.Join(cfg.Data, "invitation.json")
	if info, err := os.Stat(kept); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file for its owner only", info, err)
	}
	status.Store(http.StatusCreated)
	if err := st.Enroll(t.Context(), asking, "1.0.0"); err != nil {
		t.Fatal(err)
	}
	status.Store(http.StatusNotFound)
	if got, err := st.EnrollLater(t.Context(), "1.0.0", time.Now()); got != LaterNone || err != nil || asked.Load() != 2 {
		t.Errorf("got %s, %v after %d requests, want none after 2", got, err, asked.Load())
	}
	if _, err := os.Stat(kept); err == nil {
		t.Error("the invitation is still stored")
	}
	// Half a file, of a computer that lost power on a file system without order.
	if err := os.WriteFile(kept, []byte(`{"server":"ht`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := st.EnrollLater(t.Context(), "1.0.0", time.Now()); got != LaterNone || err != nil {
		t.Errorf("half a file: got %s, error %v; want %s, nil", got, err, LaterNone)
	}
}

// TestEnrollLaterTrustsTheGivenCertificate: the authority that the installation named is used later too.
func TestEnrollLaterTrustsTheGivenCertificate(t *testing.T) {
	var status, asked atomic.Int32
	server := httptest.NewTLSServer(enrollingHandler(t, &status, &asked))
	defer server.Close()
	cfg := config.Default(t.TempDir())
	cfg.CA = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(cfg.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	status.Store(http.StatusServiceUnavailable)
	if got, err := st.EnrollKept(t.Context(), enroll.Invitation{Server: server.URL, Code: "K7P3-QX9A"}, "1.0.0", time.Now()); got != LaterWaits {
		t.Fatalf("got %s, %v, want %s", got, err, LaterWaits)
	}
	status.Store(http.StatusCreated)
	cfg.CA = ""
	if st, err = Open(cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if got, err := st.EnrollLater(t.Context(), "1.0.0", time.Now()); got != LaterDone || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, LaterDone)
	}
}

// TestOneOfTwoProgramsUsesTheCode: the other one takes over its enrolment.
func TestOneOfTwoProgramsUsesTheCode(t *testing.T) {
	var asked, status atomic.Int32
	url := enrolling(t, &status, &asked)
	status.Store(http.StatusCreated)
	cfg := config.Default(t.TempDir())
	if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: url, Code: "K7P3-QX9A"}, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	var all [2]*Station
	for i := range all {
		var err error
		if all[i], err = Open(cfg, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	results := make(chan LaterResult, len(all))
	for _, st := range all {
		go func() {
			got, err := st.EnrollLater(t.Context(), "1.0.0", time.Now())
			if err != nil {
				t.Error(err)
			}
			results <- got
		}()
	}
	if a, b := <-results, <-results; a == b || a != LaterDone && b != LaterDone || asked.Load() != 1 {
		t.Errorf("got %s and %s after %d requests, want %s and %s after 1", a, b, asked.Load(), LaterDone, LaterNone)
	}
	for i, st := range all {
		if !st.Enrolled() {
			t.Errorf("program %d does not know the enrolment", i)
		}
	}
}

// TestEnrollLaterDoesNotWaitForAnotherProgram beyond the end of its context.
func TestEnrollLaterDoesNotWaitForAnotherProgram(t *testing.T) {
	var asked, status atomic.Int32
	cfg := config.Default(t.TempDir())
	if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: enrolling(t, &status, &asked), Code: "K7P3-QX9A"}, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	unlock, err := durable.Lock(filepath.Join(cfg.Data, enroll.LaterLock))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	st, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := st.EnrollLater(ctx, "1.0.0", time.Now()); got != LaterWaits || !errors.Is(err, enroll.ErrUnreachable) || asked.Load() != 0 {
		t.Errorf("got %s, error %v after %d requests; want %s, %v after 0", got, err, asked.Load(), LaterWaits, enroll.ErrUnreachable)
	}
}

// TestConfigurationKeepsTheCode: a configuration that prevents the use of the code may be corrected. Without
// uploads the code is not used, but removed when it has expired.
func TestConfigurationKeepsTheCode(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*config.Config)
		age    time.Duration
		want   LaterResult // 2 days later
		kept   bool
	}{
		"another collector":      {func(c *config.Config) { c.Server = "https://elsewhere.example.org" }, time.Hour, LaterWaits, true},
		"no uploads":             {func(c *config.Config) { c.NoUpload = true }, time.Hour, LaterNone, true},
		"no uploads, an old one": {func(c *config.Config) { c.NoUpload = true }, 32 * 24 * time.Hour, LaterExpired, false},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, status atomic.Int32
			status.Store(http.StatusCreated)
			cfg := config.Default(t.TempDir())
			c.change(&cfg)
			if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: enrolling(t, &status, &asked), Code: "K7P3-QX9A"}, "", time.Now().Add(-c.age)); err != nil {
				t.Fatal(err)
			}
			st, err := Open(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if first, _ := st.EnrollLater(t.Context(), "1.0.0", time.Now()); first == LaterExpired {
				t.Error("removed without confirmation")
			}
			got, err := st.EnrollLater(t.Context(), "1.0.0", time.Now().Add(48*time.Hour))
			if got != c.want || asked.Load() != 0 {
				t.Errorf("got %s, %v after %d requests, want %s after none", got, err, asked.Load(), c.want)
			}
			if kept, err := enroll.Kept(cfg.Data); err != nil || (kept != nil) != c.kept {
				t.Errorf("got the invitation %+v, %v, want one: %t", kept, err, c.kept)
			}
		})
	}
}

// TestAttemptsBecomeRareAfterADay: a wrong web server gets the code with each attempt.
func TestAttemptsBecomeRareAfterADay(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]time.Duration{time.Hour: maxEnrolWait, 25 * time.Hour: slowEnrolWait} {
		dir := t.TempDir()
		if err := enroll.Keep(dir, enroll.Invitation{Server: "https://tonprobe.example.org", Code: "K7P3-QX9A"}, "", now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		if got := longestEnrolWait(dir, now); got != want {
			t.Errorf("after %v: got %v, want %v", age, got, want)
		}
	}
}

// sleeps is a clock that makes the collector answer after some waits.
type sleeps struct {
	waits []time.Duration
	each  func(n int)
}

func (s *sleeps) Now() time.Time { return time.Now() }
func (s *sleeps) Sleep(ctx context.Context, d time.Duration) error {
	s.waits = append(s.waits, d)
	s.each(len(s.waits))
	return ctx.Err()
}

// TestServiceEnrolsLater: the service enrols by itself once the collector answers, and says so.
func TestServiceEnrolsLater(t *testing.T) {
	var status, asked atomic.Int32
	url := enrolling(t, &status, &asked)
	cfg := config.Default(t.TempDir())
	if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: url, Code: "K7P3-QX9A"}, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	status.Store(http.StatusServiceUnavailable)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// Another code is stored while the service runs, which sees it at its next look.
	clock := &sleeps{each: func(n int) {
		switch n {
		case 9:
			status.Store(http.StatusCreated)
		case 10:
			if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: url, Code: "K7P3-QX9A"}, "", time.Now().Add(time.Second)); err != nil {
				t.Error(err)
			}
		case 11:
			stop()
		}
	}}
	lines := make(logLines, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- EnrolLater(cfg, "1.0.0", clock, func() float64 { return 0 }, slog.New(slog.NewTextHandler(lines, nil)))(ctx)
	}()
	for line := range lines {
		if strings.Contains(line, "is set up with the code of the installation") {
			break
		}
		if !strings.Contains(line, "is not set up yet") {
			t.Errorf("got %q, want it to contain %q", line, "is not set up yet")
		}
	}
	id, err := identity.Load(cfg.Data)
	if err != nil || id.Enrolment == nil || id.Enrolment.Participant != "Anna Beispiel" {
		t.Errorf("got the identity %+v, error %v; want the participant Anna Beispiel", id, err)
	}
	if err := <-ended; err == nil {
		t.Error("got no error at the end of the context")
	}
	if len(clock.waits) != 11 || clock.waits[0] != minEnrolWait || clock.waits[8] != maxEnrolWait || clock.waits[9] != maxEnrolWait {
		t.Errorf("got the waits %v, want 11 from %v to %v", clock.waits, minEnrolWait, maxEnrolWait)
	}
	if asked.Load() != 11 {
		t.Errorf("got %d requests, want 11", asked.Load())
	}
}

// logLines passes each line of a log.
type logLines chan string

func (l logLines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestExpiredCodeIsTriedForTwoDays: a clock that is wrong for a moment does not delete a code.
func TestExpiredCodeIsTriedForTwoDays(t *testing.T) {
	var asked, status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	cfg, start := config.Default(t.TempDir()), time.Now()
	if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: enrolling(t, &status, &asked), Code: "K7P3-QX9A"}, "", start); err != nil {
		t.Fatal(err)
	}
	st, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day  float64
		want LaterResult
	}{{365, LaterWaits}, {365.5, LaterWaits}, {1, LaterWaits}, {30, LaterWaits}, {31, LaterWaits}, {32, LaterExpired}, {32, LaterNone}} {
		if got, err := st.EnrollLater(t.Context(), "1.0.0", start.Add(time.Duration(c.day*float64(24*time.Hour)))); got != c.want {
			t.Errorf("day %v: got %s, %v, want %s", c.day, got, err, c.want)
		}
	}
	if asked.Load() != 6 {
		t.Errorf("got %d requests, want 6", asked.Load())
	}
}

package station

import (
	"context"
	"encoding/json"
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
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
)

// enrolling returns the address of a collector that answers enrolments with status, once it is not 0.
func enrolling(t *testing.T, status *atomic.Int32, asked *atomic.Int32) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	}))
	t.Cleanup(server.Close)
	return server.URL
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
		"answers at once":           {http.StatusCreated, 0, 0, LaterNone, 1},
		"answers later":             {again, http.StatusCreated, time.Hour, LaterDone, 2},
		"does not answer":           {again, again, time.Hour, LaterWaits, 2},
		"too many attempts":         {http.StatusTooManyRequests, http.StatusCreated, time.Hour, LaterDone, 2},
		"refuses later":             {again, http.StatusNotFound, time.Hour, LaterRefused, 2},
		"answers after it expired":  {again, http.StatusCreated, 32 * 24 * time.Hour, LaterExpired, 1},
		"answers after a wrong day": {again, http.StatusCreated, -2 * 365 * 24 * time.Hour, LaterExpired, 1},
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
				t.Errorf("got the invitation %+v, %v", kept, err)
			}
			id, err := identity.Load(cfg.Data)
			if err != nil || (id.Enrolment != nil) != (c.first == http.StatusCreated || c.want == LaterDone) {
				t.Errorf("got the identity %+v, %v", id, err)
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
		t.Errorf("half a file: got %s, %v", got, err)
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
	if err := enroll.Keep(cfg.Data, enroll.Invitation{Server: url, Code: "K7P3-QX9A"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	status.Store(http.StatusServiceUnavailable)
	clock := &sleeps{each: func(n int) {
		if n == 9 {
			status.Store(http.StatusCreated)
		}
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
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
		t.Errorf("got the identity %+v, %v", id, err)
	}
	stop()
	if err := <-ended; err == nil {
		t.Error("got no error at the end of the context")
	}
	if len(clock.waits) != 9 || clock.waits[0] != minEnrolWait || clock.waits[8] != maxEnrolWait {
		t.Errorf("got the waits %v, want 9 from %v to %v", clock.waits, minEnrolWait, maxEnrolWait)
	}
}

// logLines passes each line of a log.
type logLines chan string

func (l logLines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

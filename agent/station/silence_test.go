package station

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// fastClock is a clock whose waits end at once, until its end.
type fastClock struct {
	mu    sync.Mutex
	now   time.Time
	end   time.Time
	stop  context.CancelFunc
	waits []time.Duration
	// slept is called after each wait.
	slept func()
}

func (c *fastClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fastClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	if !c.now.Before(c.end) {
		c.stop()
	}
	c.mu.Unlock()
	if c.slept != nil {
		c.slept()
	}
	return ctx.Err()
}

// quietRig is an enrolled agent with a collector that records the times of requests.
type quietRig struct {
	config     config.Config
	conditions *Conditions
	session    wire.Session
	clock      *fastClock

	mu    sync.Mutex
	asked []time.Time
}

func (r *quietRig) requests() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

// newQuietRig returns an agent with one announced session of three hours, and a clock that ends after runs.
func newQuietRig(t *testing.T, sessionIn, runs time.Duration) (r *quietRig, ctx context.Context) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	r = &quietRig{config: config.Default(t.TempDir()), session: wire.Session{StartsAt: now.Add(sessionIn).UTC()}}
	r.session.EndsAt = new(r.session.StartsAt.Add(3 * time.Hour))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked = append(r.asked, r.clock.Now())
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":{"code":"token_invalid","message":"no"}}`)
	}))
	t.Cleanup(server.Close)
	err := identity.Update(r.config.Data, func(id *identity.Identity) error {
		*id = identity.Identity{AgentID: uuid.NewString(), CreatedAt: renewedAt, Enrolment: &identity.Enrolment{
			Server: server.URL, Token: "t", Participant: "A", EnrolledAt: renewedAt}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := Open(r.config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	st.learnTargets(wire.Targets{Targets: []wire.Target{}, Sessions: []wire.Session{r.session}})
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	r.clock = &fastClock{now: now, end: now.Add(runs), stop: stop}
	r.conditions = NewConditions(r.config, r.clock)
	return r, ctx
}

// check requires that there are requests before and after the session exactly if before and after are
// set, and none in it.
func (r *quietRig) check(t *testing.T, before, after bool) {
	t.Helper()
	first, last := false, false
	for _, at := range r.requests() {
		switch {
		case at.Before(r.session.StartsAt.Add(-2 * time.Minute)):
			first = true
		case at.Before(r.session.Closes()):
			t.Errorf("a request %v after the start of the session", at.Sub(r.session.StartsAt))
		default:
			last = true
		}
	}
	if first != before || last != after {
		t.Errorf("got requests before %t, after %t; want %t, %t", first, last, before, after)
	}
}

// putReport stores a waiting report of a check or an event, made at the start of the test.
func (r *quietRig) putReport(t *testing.T, trigger report.Trigger) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	st, err := Open(r.config, log)
	if err != nil {
		t.Fatal(err)
	}
	sp, err := OpenSpool(context.Background(), r.config, log)
	if err != nil {
		t.Fatal(err)
	}
	id, err := report.NewID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	err = st.keep(context.Background(), sp, &report.Report{
		Schema: report.SchemaV1, ID: id, Case: "K7P-3QX", Trigger: trigger, Profile: "bbb",
		Agent: report.Agent{ID: st.AgentID(), Version: "1", OS: "linux", Arch: "amd64"}, StartedAt: time.Now().UTC(), Verdict: report.Unknown,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoResendsDuringASession: reports wait for the end of a session.
func TestNoResendsDuringASession(t *testing.T) {
	r, ctx := newQuietRig(t, 2*time.Hour, 8*time.Hour)
	r.clock.slept = func() { r.putReport(t, report.TriggerCheck) }
	_ = Resend(r.config, r.conditions, r.clock, func() float64 { return 0.5 }, slog.New(slog.DiscardHandler))(ctx)
	r.check(t, true, true)
}

// TestNoRefreshDuringASession: the daily request waits for the end of a session.
func TestNoRefreshDuringASession(t *testing.T) {
	r, ctx := newQuietRig(t, 23*time.Hour+30*time.Minute, 28*time.Hour)
	_ = Refresh(r.config, r.conditions, r.clock, func() float64 { return 0.1 }, slog.New(slog.DiscardHandler))(ctx)
	r.check(t, false, true)
}

// TestNoRenewalDuringASession: a token whose time has come waits for the end of a session, unless the
// collector requests it.
func TestNoRenewalDuringASession(t *testing.T) {
	r, ctx := newQuietRig(t, -time.Hour, time.Hour)
	err := identity.Update(r.config.Data, func(id *identity.Identity) error {
		id.Enrolment.RenewAt = time.Now().Add(-time.Minute).UTC()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	renewal := newRenewer(r.config, r.conditions.inSession, slog.New(slog.DiscardHandler))
	if err := renewal.renew(ctx, false); err != nil || len(r.requests()) != 0 {
		t.Errorf("got %v and %d requests, want none", err, len(r.requests()))
	}
	if _ = renewal.renew(ctx, true); len(r.requests()) == 0 {
		t.Error("a renewal that the collector asks for waits for the end of the session")
	}
}

// TestResendsAreRareOnAMeteredLine compares the number of attempts with that on another line, for the
// same time and the same reports.
func TestResendsAreRareOnAMeteredLine(t *testing.T) {
	for _, c := range []struct {
		view  watch.View
		tries int // in ten hours
	}{{watch.View{}, 54}, {watch.View{Metered: new(true)}, 9}, {watch.View{Saving: new(true)}, 9}, {watch.View{Metered: new(false)}, 54}} {
		r, ctx := newQuietRig(t, 100*time.Hour, 10*time.Hour)
		r.putReport(t, report.TriggerCheck)
		r.conditions.Board.Set(c.view)
		_ = Resend(r.config, r.conditions, r.clock, func() float64 { return 0.5 }, slog.New(slog.DiscardHandler))(ctx)
		if n := len(r.requests()); n != c.tries {
			t.Errorf("%+v: got %d attempts, want %d", c.view, n, c.tries)
		}
	}
}

// TestResendsBeforeASessionAreNotRare: on a metered line too, support must see a check whose report
// could not be sent at once.
func TestResendsBeforeASessionAreNotRare(t *testing.T) {
	r, ctx := newQuietRig(t, 2*time.Hour, 4*time.Hour)
	r.conditions.Board.Set(watch.View{Metered: new(true)})
	r.putReport(t, report.TriggerCheck)
	_ = Resend(r.config, r.conditions, r.clock, func() float64 { return 0.5 }, slog.New(slog.DiscardHandler))(ctx)
	r.check(t, true, false)
	if n := len(r.requests()); n != 5 { // every 11 minutes in the last hour, until two minutes before the start
		t.Errorf("got %d attempts before a session, want 5", n)
	}
}

// TestACheckIsSentOnceInItsSession: its report, if it still waits, gets one attempt at the beginning of
// the session, as the report of an event did.
func TestACheckIsSentOnceInItsSession(t *testing.T) {
	for trigger, want := range map[report.Trigger]int{report.TriggerSchedule: 1, report.TriggerEvent: 0} {
		r, ctx := newQuietRig(t, 30*time.Minute, 3*time.Hour)
		r.putReport(t, trigger)
		_ = Resend(r.config, r.conditions, r.clock, func() float64 { return 0.5 }, slog.New(slog.DiscardHandler))(ctx)
		n := 0
		for _, at := range r.requests() {
			after := at.Sub(r.session.StartsAt)
			if after < -2*time.Minute {
				continue
			}
			if n++; after > 15*time.Minute {
				t.Errorf("%s: got a request %v after the start of the session, want none after 15 minutes", trigger, after)
			}
		}
		if n != want {
			t.Errorf("%s: got %d requests in the session, want %d", trigger, n, want)
		}
	}
}

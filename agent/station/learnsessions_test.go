package station

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// learnRig runs learn with a fast clock and records its requests.
type learnRig struct {
	t          *testing.T
	conditions *Conditions
	stop       func()

	mu   sync.Mutex
	all  []time.Time
	fail error         // of each request
	take time.Duration // of each request
}

// newLearnRig returns a rig in whose bubble a day has passed.
func newLearnRig(t *testing.T) *learnRig {
	ctx, cancel := context.WithCancel(t.Context())
	r := &learnRig{t: t, conditions: NewConditions(config.Default(t.TempDir()), probe.SystemClock{})}
	ended := make(chan error)
	go func() { ended <- r.conditions.learn(ctx, func() float64 { return 0.5 }, r.request) }()
	r.stop = func() { cancel(); <-ended }
	time.Sleep(24 * time.Hour)
	return r
}

func (r *learnRig) request(context.Context) error {
	r.mu.Lock()
	r.all = append(r.all, time.Now())
	fail, take := r.fail, r.take
	r.mu.Unlock()
	time.Sleep(take)
	return fail
}

func (r *learnRig) set(fail error, take time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail, r.take = fail, take
}

func (r *learnRig) requests() []time.Time {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// want requires n requests so far, the last one some time after begun.
func (r *learnRig) want(what string, n int, begun time.Time, after time.Duration) {
	r.t.Helper()
	if learned := r.requests(); len(learned) != n || n > 0 && learned[n-1].Sub(begun) != after {
		r.t.Fatalf("%s: got requests %v, want %d, the last %v after %v", what, learned, n, after, begun)
	}
}

// announce adds a session of the given length.
func (r *learnRig) announce(startsAt time.Time, lasts time.Duration) {
	c := r.conditions
	b, err := json.Marshal(wire.Targets{Targets: []wire.Target{}, Sessions: []wire.Session{{StartsAt: startsAt.UTC(), EndsAt: new(startsAt.Add(lasts).UTC())}}})
	if err == nil {
		err = os.WriteFile(filepath.Join(c.data, targetsFile), b, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestSessionsAreLearnedOnRequest: the sessions are requested after a message and after a connection,
// but many messages do not cause many requests.
func TestSessionsAreLearnedOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLearnRig(t)
		defer r.stop()
		c, begun := r.conditions, time.Now()
		r.want("no reason", 0, begun, 0)
		c.requestSessions(0)
		time.Sleep(2 * time.Minute)
		r.want("connected", 1, begun, time.Minute)
		time.Sleep(time.Hour)
		c.requestSessions(0)
		time.Sleep(10 * time.Second)
		_ = c.learnBy(t.Context(), func(context.Context) error { return nil }) // by a check
		time.Sleep(5 * time.Minute)
		r.want("requested by a check after the connection", 1, begun, time.Minute)
		time.Sleep(time.Hour)
		begun = time.Now()
		c.requestSessions(0)
		time.Sleep(10 * time.Second)
		c.requestSessions(20 * time.Second) // a session that starts in a few minutes
		time.Sleep(2 * time.Minute)
		r.want("a message just after the connection", 2, begun, 20*time.Second)
		for range 600 { // many messages
			c.requestSessions(time.Second)
			time.Sleep(time.Second)
		}
		if n := len(r.requests()) - 2; n < 9 || n > 11 {
			t.Errorf("got %d requests in ten minutes of a flood, want one a minute", n)
		}
	})
}

// TestConnectionsRequestSessions: what was announced while there was no connection is learned soon
// after it, even shortly after another request, but at most once in half an hour if a proxy ends the
// connection every minute.
func TestConnectionsRequestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLearnRig(t)
		defer r.stop()
		begun := time.Now()
		r.conditions.requestSessions(0)
		time.Sleep(13 * time.Minute)
		r.conditions.requestSessions(0)
		time.Sleep(2 * time.Minute)
		r.want("connected again after a short time", 2, begun, 14*time.Minute)
		time.Sleep(24 * time.Hour)
		for range 24 * 60 {
			r.conditions.requestSessions(0)
			time.Sleep(time.Minute)
		}
		all := r.requests()
		if n := len(all) - 2; n < 40 || n > 24*2+connectBurst {
			t.Errorf("got %d requests in a day of connections every minute, want about two an hour", n)
		}
		if last := all[len(all)-1]; time.Since(last) > 40*time.Minute {
			t.Errorf("the last of %d requests was %v ago, want at most 40 minutes", len(all), time.Since(last))
		}
	})
}

// TestConnectionsInASession: a request after a connection waits for the end of the session, one after a
// message does not.
func TestConnectionsInASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLearnRig(t)
		defer r.stop()
		begun := time.Now()
		r.announce(begun.Add(-time.Hour), 3*time.Hour)
		time.Sleep(2 * time.Minute)
		r.conditions.requestSessions(0)
		time.Sleep(115 * time.Minute)
		r.want("connected in a session", 0, begun, 0)
		time.Sleep(10 * time.Minute)
		r.want("after the session", 1, begun, 2*time.Hour+time.Minute)
		begun = time.Now()
		r.announce(begun.Add(-time.Hour), 3*time.Hour)
		time.Sleep(2 * time.Minute)
		r.conditions.requestSessions(10 * time.Second)
		time.Sleep(time.Minute)
		r.want("told in a session", 2, begun, 2*time.Minute+5*time.Second)
	})
}

// TestFailedRequestsForSessionsAreRepeated: soon at first, and rarely if the collector does not respond
// for a day. A failed request does not count.
func TestFailedRequestsForSessionsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLearnRig(t)
		defer r.stop()
		begun := time.Now()
		r.set(errors.New("503"), 5*time.Second)
		r.conditions.requestSessions(2 * time.Minute)
		time.Sleep(2 * time.Minute)
		r.want("told", 1, begun, time.Minute)
		if since := r.conditions.sinceLearned(); since < learnEvery {
			t.Errorf("a failed request counts as learned %v ago", since)
		}
		time.Sleep(3 * time.Minute)
		r.want("repeated", 2, begun, 4*time.Minute+5*time.Second)
		time.Sleep(24 * time.Hour)
		if n := len(r.requests()); n < 24 || n > 56 {
			t.Errorf("got %d requests in a day without the collector, want one every half an hour", n)
		}
		r.set(nil, 0)
		time.Sleep(31 * time.Minute)
		n := len(r.requests())
		if since := r.conditions.sinceLearned(); since > 31*time.Minute {
			t.Errorf("learned %v ago, want after the collector had returned", since)
		}
		time.Sleep(24 * time.Hour)
		if again := len(r.requests()); again != n {
			t.Errorf("got %d requests after one that succeeded, want none", again-n)
		}
	})
}

// TestMessagesDuringARequest: no message is lost because a connection or a less urgent message waits.
func TestMessagesDuringARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLearnRig(t)
		defer r.stop()
		r.announce(time.Now().Add(-time.Hour), 12*time.Hour) // so soon after a request, a connection causes no other one
		begun := time.Now()
		r.set(nil, 5*time.Second)
		r.conditions.requestSessions(2 * time.Second)
		time.Sleep(2 * time.Second) // the request has begun
		r.conditions.requestSessions(0)
		r.conditions.requestSessions(15 * time.Minute)
		r.conditions.requestSessions(90 * time.Second)
		r.conditions.requestSessions(10 * time.Minute)
		time.Sleep(20 * time.Minute)
		r.want("told during a request", 2, begun, time.Second+learnPause)
	})
}

// TestAgentsOfASessionSpreadTheirRequests: none of 2,000 agents that receive a message at the same time
// waits for longer than permitted, and their requests are spread over that time.
func TestAgentsOfASessionSpreadTheirRequests(t *testing.T) {
	const agents, within = 2000, 5 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var running sync.WaitGroup
		perSecond := map[int]int{}
		begun := time.Now()
		for i := range agents {
			c := NewConditions(config.Default(""), probe.SystemClock{})
			running.Go(func() {
				_ = c.learn(ctx, rand.New(rand.NewPCG(3, uint64(i))).Float64, func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					perSecond[int(time.Since(begun)/time.Second)]++
					return nil
				})
			})
			c.requestSessions(within)
		}
		time.Sleep(within + time.Second)
		cancel()
		running.Wait()
		sum, most := 0, 0
		for second, n := range perSecond {
			sum, most = sum+n, max(most, n)
			if second > int(within/time.Second) {
				t.Errorf("got a request after %d s, want all within %v", second, within)
			}
		}
		if sum != agents || most > 25 { // 6.7 on average
			t.Errorf("got %d requests, up to %d in a second, want %d and at most 25", sum, most, agents)
		}
	})
}

// countingConn counts the bytes in both directions.
type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

// TestBytesOfARequestForSessions: with its TLS handshake, for a participant with a session every
// week. A day with ten requests, which is far more than usual, stays within what remains of 1 MB.
func TestBytesOfARequestForSessions(t *testing.T) {
	all := wire.Targets{Targets: []wire.Target{{Name: "rathaus", System: "bbb", URL: "https://bbb.example.org", Profile: "bbb"}}}
	for week := range 2 {
		start := time.Date(2026, 12, 1+7*week, 17, 0, 0, 0, time.UTC)
		all.Sessions = append(all.Sessions, wire.Session{StartsAt: start, EndsAt: new(start.Add(3 * time.Hour)), Target: "rathaus"})
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(all) }))
	defer server.Close()
	var passed atomic.Int64
	ctx := collector.WithDialer(t.Context(), func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return countingConn{conn, &passed}, err
	})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	st := &Station{
		Config: config.Default(t.TempDir()), log: slog.New(slog.DiscardHandler), roots: roots,
		id: &identity.Identity{AgentID: testAgentID, Enrolment: &identity.Enrolment{Server: server.URL, Token: "t"}},
	}
	if err := st.learnSessions(ctx); err != nil {
		t.Fatal(err)
	}
	if got := (scheduleMemory{data: st.Config.Data, log: st.log}).sessions(); len(got) != 2 {
		t.Fatalf("got %d sessions, want 2", len(got))
	}
	const headers = 20 * 40 // of IP and TCP, for about as many packets
	kB := float64(passed.Load()+headers) / 1000
	t.Logf("%.1f kB", kB)
	if kB > 7 {
		t.Errorf("got %.1f kB, want at most 7", kB)
	}
}

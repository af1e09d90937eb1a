package station

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
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

// TestSessionsAreLearnedWhenAsked: after a message and after a connection, but neither in a busy loop
// nor during a session.
func TestSessionsAreLearnedWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewConditions(config.Default(t.TempDir()), probe.SystemClock{})
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var all []time.Time
		requests := func() []time.Time {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		ended := make(chan error)
		go func() {
			ended <- c.learn(ctx, func() float64 { return 0.5 }, func(context.Context) {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, time.Now())
			})
		}()
		time.Sleep(24 * time.Hour)
		begun := time.Now()
		want := func(what string, n int, after time.Duration) {
			t.Helper()
			if learned := requests(); len(learned) != n || n > 0 && learned[n-1].Sub(begun) != after {
				t.Fatalf("%s: got requests %v, want %d, the last after %v", what, learned, n, after)
			}
		}
		want("nothing asked", 0, 0)
		c.askSessions(0)
		time.Sleep(2 * time.Minute)
		want("connected", 1, time.Minute)
		for range 20 { // a proxy that ends the connection every minute
			c.askSessions(0)
			time.Sleep(time.Minute)
		}
		want("connected again and again", 1, time.Minute)
		time.Sleep(time.Hour)
		c.askSessions(0)
		time.Sleep(10 * time.Second)
		c.noteLearned() // by a check
		time.Sleep(5 * time.Minute)
		want("requested by a check after the connection", 1, time.Minute)
		time.Sleep(time.Hour)
		begun = time.Now()
		c.askSessions(0)
		time.Sleep(10 * time.Second)
		c.askSessions(20 * time.Second) // a session in a few minutes
		time.Sleep(2 * time.Minute)
		want("a message just after the connection", 2, 20*time.Second)
		begun = time.Now()
		for range 600 { // a flood
			c.askSessions(time.Second)
			time.Sleep(time.Second)
		}
		if n := len(requests()) - 2; n < 9 || n > 11 {
			t.Errorf("got %d requests in ten minutes of a flood, want one a minute", n)
		}
		time.Sleep(time.Hour)
		n := len(requests())
		c.mu.Lock()
		c.readAt, c.sessions = time.Now(), []wire.Session{{StartsAt: time.Now()}}
		c.mu.Unlock()
		c.askSessions(0)
		synctest.Wait()
		time.Sleep(10 * time.Minute)
		if len(requests()) != n {
			t.Error("the sessions were requested during a session because of a connection")
		}
		cancel()
		<-ended
	})
}

// TestAgentsOfASessionSpreadTheirRequests: none of 2,000 agents that are told at the same time
// waits for longer than it may, and they do not all ask at once.
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
				_ = c.learn(ctx, rand.New(rand.NewPCG(3, uint64(i))).Float64, func(context.Context) {
					mu.Lock()
					defer mu.Unlock()
					perSecond[int(time.Since(begun)/time.Second)]++
				})
			})
			c.askSessions(within)
		}
		time.Sleep(within + time.Second)
		cancel()
		running.Wait()
		sum, most := 0, 0
		for second, n := range perSecond {
			sum, most = sum+n, max(most, n)
			if second > int(within/time.Second) {
				t.Errorf("got a request after %d s", second)
			}
		}
		if sum != agents || most > 25 { // 6.7 on average
			t.Errorf("got %d requests, up to %d in a second, want %d and at most 25", sum, most, agents)
		}
	})
}

// countingConn counts what passes.
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
	st.learnSessions(ctx)
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

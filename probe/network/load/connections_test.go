package load

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// connected records the connections that carried load concurrently.
type connected struct {
	mu      sync.Mutex
	running map[string]bool // by client address
	most    int
	proto   map[string]bool
}

func (c *connected) enter(r *http.Request) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[r.RemoteAddr], c.proto[r.Proto] = true, true
	c.most = max(c.most, len(c.running))
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, r.RemoteAddr)
	}
}

// TestLoadUsesSeveralConnections: even if the collector supports HTTP/2, which
// would use a single one, several connections are used.
func TestLoadUsesSeveralConnections(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		arrivals := &testArrivals{}
		c := &connected{running: map[string]bool{}, proto: map[string]bool{}}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
				arrivals.tell(w, r)
				return
			}
			if r.Method == method {
				defer c.enter(r)()
			}
			if r.Method == http.MethodPost {
				n := int64(0)
				for {
					k, err := io.CopyN(counted{arrivals}, r.Body, 32<<10)
					if n += k; err != nil {
						break
					}
					time.Sleep(2 * time.Millisecond)
				}
				arrivals.end()
				_ = json.NewEncoder(w).Encode(wire.LoadReceipt{Bytes: n, MS: 2})
				return
			}
			for range bytesEach / (32 << 10) {
				_, _ = w.Write(make([]byte, 32<<10))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(2 * time.Millisecond)
			}
		}))
		s.EnableHTTP2 = true
		s.StartTLS()
		t.Cleanup(s.Close)
		base, _ := url.Parse(s.URL)
		runLoad(t, t.Context(), Config{Base: base, Transport: s.Client().Transport.(*http.Transport), ICE: stunOnLoopback(t)})
		c.mu.Lock()
		if c.most != connections {
			t.Errorf("%s: got %d concurrent connections, want %d", method, c.most, connections)
		}
		if got := slices.Collect(maps.Keys(c.proto)); !slices.Equal(got, []string{"HTTP/1.1"}) {
			t.Errorf("%s: got protocols %v, want HTTP/1.1", method, got)
		}
		c.mu.Unlock()
	}
}

// TestLoadWithOneConnection: the collector, or a proxy in front of it, accepts one
// transfer at a time.
func TestLoadWithOneConnection(t *testing.T) {
	t.Parallel()
	slow := slowCollector(t, 2000)
	var down, up sync.Mutex
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
			slow.Config.Handler.ServeHTTP(w, r)
			return
		}
		one := &down
		if r.Method == http.MethodPost {
			one = &up
		}
		if !one.TryLock() {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		defer one.Unlock()
		slow.Config.Handler.ServeHTTP(w, r)
	})
	base, _ := url.Parse(s.URL)
	d := runLoad(t, t.Context(), Config{Base: base, Token: fixed("secret"), ICE: stunOnLoopback(t)})
	for name, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
		if got := testnet.Deref(kbps); got < 1000 || got > 3000 {
			t.Errorf("%s: got %g kbit/s, want about 2000", name, got)
		}
	}
}

// TestLoadRefusedHalfWay: a collector that has no capacity left when the uploads
// begin must not make the line look slow.
func TestLoadRefusedHalfWay(t *testing.T) {
	t.Parallel()
	arrivals := &testArrivals{}
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals):
			arrivals.tell(w, r)
		case r.Method == http.MethodGet:
			_, _ = w.Write(make([]byte, bytesEach))
		default:
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	base, _ := url.Parse(s.URL)
	r, err := New(Config{Base: base, ICE: stunOnLoopback(t)}).Run(t.Context(), probetest.Env(t))
	if err != nil || r.Status != report.StatusUnknown || r.Note != noteBusy {
		t.Errorf("got status %s, note %q, error %v; want %s, %q", r.Status, r.Note, err, report.StatusUnknown, noteBusy)
	}
}

// TestUpstreamUnknown: without arrivals, or behind a proxy that buffers uploads,
// the upstream rate is unknown, and the note says why.
func TestUpstreamUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrivals func(w http.ResponseWriter, r *http.Request, a *testArrivals)
		upload   func(w http.ResponseWriter, r *http.Request, a *testArrivals)
		note     string
	}{
		"a collector of an earlier version": {
			func(w http.ResponseWriter, _ *http.Request, _ *testArrivals) { w.WriteHeader(http.StatusNotFound) },
			func(w http.ResponseWriter, r *http.Request, _ *testArrivals) { _, _ = io.Copy(io.Discard, r.Body) },
			"the collector's version is too old to measure uploads",
		},
		"a proxy with a limit": {
			func(w http.ResponseWriter, r *http.Request, a *testArrivals) { a.tell(w, r) },
			func(w http.ResponseWriter, _ *http.Request, _ *testArrivals) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			},
			"a proxy in front of the collector buffers uploads",
		},
		"a proxy that collects uploads": {
			func(w http.ResponseWriter, r *http.Request, a *testArrivals) { a.tell(w, r) },
			func(w http.ResponseWriter, r *http.Request, a *testArrivals) {
				for { // 40 Mbit/s on each connection
					if _, err := io.CopyN(io.Discard, r.Body, 50_000); err != nil {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				a.add(bytesEach) // at once
				a.end()
			},
			"a proxy in front of the collector buffers uploads",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrivals := &testArrivals{}
			s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals):
					c.arrivals(w, r, arrivals)
				case r.Method == http.MethodGet:
					_, _ = w.Write(make([]byte, bytesEach))
				default:
					c.upload(w, r, arrivals)
				}
			})
			base, _ := url.Parse(s.URL)
			r, err := New(Config{Base: base, ICE: stunOnLoopback(t)}).Run(t.Context(), probetest.Env(t))
			d := r.Data.(*report.MediaLoad)
			if err != nil || r.Status != report.StatusUnknown || r.Note != c.note || d.UpKbps != nil {
				t.Errorf("got status %s, note %q, up %v, error %v; want unknown and note %q", r.Status, r.Note, probetest.Value(d.UpKbps), err, c.note)
			}
		})
	}
}

// TestLoadOnAFailingLine checks that the result is what was measured until the
// failure, without a hang. Other probes report a line that does not work.
func TestLoadOnAFailingLine(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for _, after := range []time.Duration{2 * time.Second, 4500 * time.Millisecond} {
		e := probetest.Env(t)
		ice := stunOnLoopback(t)
		slow := slowCollector(t, 2000)
		gone, cut := context.WithTimeout(t.Context(), after)
		t.Cleanup(cut)
		s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
			if gone.Err() != nil {
				<-r.Context().Done() // packets are dropped
				return
			}
			slow.Config.Handler.ServeHTTP(w, r)
		})
		base, _ := url.Parse(s.URL)
		transport := &http.Transport{DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, at)
			return unplugged{conn, gone}, err
		}}
		wg.Go(func() {
			r, err := New(Config{Base: base, Token: fixed("secret"), Transport: transport, ICE: ice}).Run(t.Context(), e)
			if err != nil {
				t.Errorf("after %v: got error %v, want none", after, err)
			}
			d := r.Data.(*report.MediaLoad)
			for name, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
				if kbps != nil && *kbps < 500 {
					t.Errorf("after %v: got %s %g kbit/s, want at least 500: lost packets look like a narrow line", after, name, *kbps)
				}
			}
		})
	}
	wg.Wait()
}

// unplugged is a connection whose interface disappears: reads block, and writes are
// accepted by the system but arrive nowhere.
type unplugged struct {
	net.Conn
	gone context.Context
}

func (m unplugged) Read(b []byte) (int, error) {
	for {
		n, err := m.Conn.Read(b)
		if m.gone.Err() == nil || err != nil {
			return n, err
		}
	}
}

func (m unplugged) Write(b []byte) (int, error) {
	if m.gone.Err() != nil {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

// TestLoadAcrossAClockStep: the rate is correct or unknown, never too low.
func TestLoadAcrossAClockStep(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for name, c := range map[string]struct{ at, by time.Duration }{
		"an hour forward while receiving":    {1800 * time.Millisecond, time.Hour},
		"an hour forward while sending":      {5300 * time.Millisecond, time.Hour},
		"three seconds back while receiving": {1800 * time.Millisecond, -3 * time.Second},
	} {
		base, _ := url.Parse(slowCollector(t, 2000).URL)
		e := probetest.Env(t)
		ice := stunOnLoopback(t)
		wg.Go(func() {
			e.Clock = &testnet.JumpingClock{From: time.Now(), At: c.at, By: c.by}
			r, err := New(Config{Base: base, Token: fixed("secret"), ICE: ice}).Run(t.Context(), e)
			if err != nil {
				t.Error(err)
				return
			}
			d := r.Data.(*report.MediaLoad)
			for way, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
				if kbps != nil && *kbps < 1000 {
					t.Errorf("%s: got %s %g kbit/s, want about 2000", name, way, *kbps)
				}
			}
			for way, rtt := range map[string]*float64{"idle": d.IdleRTTMS, "up": d.LoadedRTTUpMS, "down": d.LoadedRTTDownMS} {
				if rtt != nil && (*rtt < 0 || *rtt > 100) {
					t.Errorf("%s: got a %s round trip of %g ms on loopback, want 0 to 100", name, way, *rtt)
				}
			}
		})
	}
	wg.Wait()
}

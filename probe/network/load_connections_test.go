package network

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// connected notes which connections carried load at once.
type connected struct {
	mu      sync.Mutex
	running map[string]bool // by the client's address
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

// TestLoadFillsTheLineOnSeveralConnections: also where the collector would put
// all of it into one connection of HTTP/2.
func TestLoadFillsTheLineOnSeveralConnections(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		c := &connected{running: map[string]bool{}, proto: map[string]bool{}}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if r.Method == method {
				defer c.enter(r)()
			}
			if r.Method == http.MethodPost {
				n, _ := io.Copy(io.Discard, r.Body)
				if n > int64(firstUploads[len(firstUploads)-1]) {
					time.Sleep(20 * time.Millisecond) // a line's round trip
				}
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
		runLoad(t, t.Context(), LoadConfig{Base: base, Client: s.Client(), ICE: stunOnLoopback(t)})
		c.mu.Lock()
		if c.most != connections {
			t.Errorf("%s: %d connections at once, want %d", method, c.most, connections)
		}
		if got := slices.Collect(maps.Keys(c.proto)); !slices.Equal(got, []string{"HTTP/1.1"}) {
			t.Errorf("%s by %v", method, got)
		}
		c.mu.Unlock()
	}
}

// TestLoadMakesDoWithOneConnection: a collector of an earlier version takes one
// transfer at a time.
func TestLoadMakesDoWithOneConnection(t *testing.T) {
	t.Parallel()
	slow := slowCollector(t, 2000)
	var down, up sync.Mutex
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
			w.WriteHeader(http.StatusNotFound)
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
	d := runLoad(t, t.Context(), LoadConfig{Base: base, Token: "secret", ICE: stunOnLoopback(t)})
	for name, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
		if got := deref(kbps); got < 1000 || got > 3000 {
			t.Errorf("%s %g kbit/s, want about 2000", name, got)
		}
	}
}

// TestLoadRefusedHalfWay: a collector whose room is used up after the first
// uploads is no slow line.
func TestLoadRefusedHalfWay(t *testing.T) {
	var uploaded atomic.Int32
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write(make([]byte, bytesEach))
			return
		}
		if uploaded.Add(1) > int32(len(firstUploads)) {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_ = json.NewEncoder(w).Encode(wire.LoadReceipt{Bytes: n, MS: 100})
	})
	base, _ := url.Parse(s.URL)
	r, err := NewLoad(LoadConfig{Base: base, ICE: stunOnLoopback(t)}).Run(t.Context(), environment(t))
	if err != nil || r.Status != report.StatusUnknown || r.Note != noRoom {
		t.Errorf("%s, %q, %v", r.Status, r.Note, err)
	}
}

// TestLoadOfALineThatGoesAway: whatever was reached until then, and no hang. A
// line that is not there is for other probes to name.
func TestLoadOfALineThatGoesAway(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for _, after := range []time.Duration{2 * time.Second, 4500 * time.Millisecond} {
		e := environment(t)
		ice := stunOnLoopback(t)
		slow := slowCollector(t, 2000)
		gone, cut := context.WithTimeout(t.Context(), after)
		t.Cleanup(cut)
		s := plain(t, func(w http.ResponseWriter, r *http.Request) {
			if gone.Err() != nil {
				<-r.Context().Done() // packets go nowhere
				return
			}
			slow.Config.Handler.ServeHTTP(w, r)
		})
		base, _ := url.Parse(s.URL)
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, at)
			return unplugged{conn, gone}, err
		}}}
		wg.Go(func() {
			begin := time.Now()
			r, err := NewLoad(LoadConfig{Base: base, Token: "secret", Client: client, ICE: ice}).Run(t.Context(), e)
			if took := time.Since(begin); err != nil || took > idleTime+2*fullTime+2*askWait {
				t.Errorf("after %v: took %v, %v", after, took, err)
			}
			d := r.Data.(*report.MediaLoad)
			for name, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
				if kbps != nil && *kbps < 500 {
					t.Errorf("after %v: %s %g kbit/s: what was lost is taken for a narrow line", after, name, *kbps)
				}
			}
		})
	}
	wg.Wait()
}

// unplugged is a connection whose interface goes away: reads wait, writes are taken
// by the system and arrive nowhere.
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

// TestLoadUnderASetClock: the result or "unknown", never a narrow line.
func TestLoadUnderASetClock(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for name, c := range map[string]struct{ at, by time.Duration }{
		"an hour on while receiving":         {1800 * time.Millisecond, time.Hour},
		"an hour on while sending":           {5300 * time.Millisecond, time.Hour},
		"three seconds back while receiving": {1800 * time.Millisecond, -3 * time.Second},
	} {
		base, _ := url.Parse(slowCollector(t, 2000).URL)
		e := environment(t)
		ice := stunOnLoopback(t)
		wg.Go(func() {
			e.Clock = &jumping{from: time.Now(), at: c.at, by: c.by}
			r, err := NewLoad(LoadConfig{Base: base, Token: "secret", ICE: ice}).Run(t.Context(), e)
			if err != nil {
				t.Error(err)
				return
			}
			d := r.Data.(*report.MediaLoad)
			for way, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
				if kbps != nil && *kbps < 1000 {
					t.Errorf("%s: %s %g kbit/s of 2000", name, way, *kbps)
				}
			}
			for way, rtt := range map[string]*float64{"idle": d.IdleRTTMS, "up": d.LoadedRTTUpMS, "down": d.LoadedRTTDownMS} {
				if rtt != nil && (*rtt < 0 || *rtt > 100) {
					t.Errorf("%s: %s round trip %g ms on loopback", name, way, *rtt)
				}
			}
		})
	}
	wg.Wait()
}

// TestTogether: each at its own pace, as long as the longest.
func TestTogether(t *testing.T) {
	got := together([]rate{
		{counted: 64 << 10, took: time.Second}, {counted: 16 << 10, took: 250 * time.Millisecond}, {},
	})
	if want := int64(128 << 10); got.took != time.Second || got.counted < want-1 || got.counted > want {
		t.Errorf("%+v, want %d in a second", got, want)
	}
	if kbps, _ := together(nil).kbps(0); kbps != nil {
		t.Errorf("%g kbit/s of nothing", *kbps)
	}
}

package load

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// slowCollector receives and sends bytes at a rate in kbit/s, summed over all
// connections.
func slowCollector(t *testing.T, kbps int) *httptest.Server {
	t.Helper()
	const every = 10 * time.Millisecond
	portion := kbps * 1000 / 8 / 100
	tick := time.NewTicker(every)
	t.Cleanup(tick.Stop)
	arrivals := &testArrivals{}
	return testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
			arrivals.tell(w, r)
			return
		}
		if r.Method == http.MethodGet {
			for range wire.MaxLoadBytes / portion {
				<-tick.C
				if _, err := w.Write(make([]byte, portion)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			}
			return
		}
		start, total := time.Now(), int64(0)
		for {
			<-tick.C
			n, err := io.CopyN(io.Discard, r.Body, int64(portion))
			total += n
			arrivals.add(int(n))
			if err != nil {
				break
			}
		}
		arrivals.end()
		_ = json.NewEncoder(w).Encode(wire.LoadReceipt{Bytes: total, MS: float64(time.Since(start)) / 1e6})
	})
}

// stunOnLoopback returns a list with one server that responds.
func stunOnLoopback(t *testing.T) func(context.Context) (wire.ICEConfig, error) {
	t.Helper()
	server := testnet.STUNMachine(t, true)
	return func(context.Context) (wire.ICEConfig, error) {
		return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"stun:" + server.String()}}}}, nil
	}
}

func runLoad(t *testing.T, ctx context.Context, c Config) *report.MediaLoad {
	t.Helper()
	r, err := New(c).Run(ctx, probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	d := r.Data.(*report.MediaLoad)
	if (r.Status == report.StatusOK) != (d.UpKbps != nil && d.DownKbps != nil) || (r.Status == report.StatusOK) == (r.Note != "") {
		t.Errorf("got status %s, note %q with %+v, want ok with both rates, or a note", r.Status, r.Note, d)
	}
	// Data in flight at the end arrives too; on loopback that is a lot.
	if testnet.Deref(d.UpBytes) > maxArrived || testnet.Deref(d.DownBytes) > maxArrived {
		t.Errorf("got %d bytes up and %d down; want at most %d, at most %d", testnet.Deref(d.UpBytes), testnet.Deref(d.DownBytes), maxArrived, maxArrived)
	}
	return d
}

func TestLoadFindsTheRate(t *testing.T) {
	t.Parallel()
	s := slowCollector(t, 2000)
	base, _ := url.Parse(s.URL)
	d := runLoad(t, t.Context(), Config{Base: base, Token: fixed("secret"), ICE: stunOnLoopback(t)})
	for name, kbps := range map[string]*float64{"up": d.UpKbps, "down": d.DownKbps} {
		if got := testnet.Deref(kbps); got < 1000 || got > 3000 {
			t.Errorf("%s: got %g kbit/s, want about 2000", name, got)
		}
	}
	if d.IdleRTTMS == nil || d.LoadedRTTUpMS == nil || d.LoadedRTTDownMS == nil {
		t.Errorf("got %+v, want all three round trips", d)
	}
}

func TestLoadIsBoundedOnAFastLine(t *testing.T) {
	arrivals := &testArrivals{}
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, wire.PathLoadArrivals) {
			arrivals.tell(w, r)
			return
		}
		if r.Method == http.MethodGet {
			_, _ = w.Write(make([]byte, 10*wire.MaxLoadBytes)) // more than requested
			return
		}
		n, _ := io.Copy(counted{arrivals}, r.Body)
		arrivals.end()
		_ = json.NewEncoder(w).Encode(wire.LoadReceipt{Bytes: n, MS: 0.1})
	})
	base, _ := url.Parse(s.URL)
	if d := runLoad(t, t.Context(), Config{Base: base, ICE: stunOnLoopback(t)}); d.UpKbps == nil || d.DownKbps == nil {
		t.Errorf("got %+v, want both rates", d)
	}
}

func TestLoadStopsAndRejectsInvalidResponses(t *testing.T) {
	t.Parallel()
	nonsense := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte(`{"bytes":99999999999,"ms":-1}`))
	})
	base, _ := url.Parse(nonsense.URL)
	if d := runLoad(t, t.Context(), Config{Base: base}); d.UpKbps != nil || d.IdleRTTMS != nil {
		t.Errorf("got %+v, want no rate and no round trip", d)
	}
	refused, _ := url.Parse(slowCollector(t, 2000).URL)
	if d := runLoad(t, t.Context(), Config{Base: refused, Token: fixed("wrong")}); d.UpKbps != nil || d.DownKbps != nil {
		t.Errorf("got %+v, want no rates", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// Continued, it would find the rate.
	if d := runLoad(t, ctx, Config{Base: refused, Token: fixed("secret"), ICE: stunOnLoopback(t)}); d.UpKbps != nil || d.DownKbps != nil {
		t.Errorf("stopped: got %+v, want no rates", d)
	}
}

// TestLoadDoesNotWait: a busy collector is not a fault of the line, and the check
// does not ask it again.
func TestLoadDoesNotWait(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		asked := 0
		s := testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
		})
		base, _ := url.Parse(s.URL)
		d := runLoad(t, t.Context(), Config{Base: base, ICE: stunOnLoopback(t)})
		if d.UpKbps != nil || d.DownKbps != nil || d.LoadedRTTUpMS != nil || d.LoadedRTTDownMS != nil || asked != 1 {
			t.Errorf("%d: got %d requests, %+v; want 1, no UpKbps, no DownKbps, no LoadedRTTUpMS, no LoadedRTTDownMS", status, asked, d)
		}
	}
}

// TestDistantServerIsNotASlowLine: until TCP has reached the rate of the line, the
// rate depends on the distance, as over a satellite.
func TestDistantServerIsNotASlowLine(t *testing.T) {
	// evenly returns bytes that arrive evenly over a time.
	evenly := func(bytes int64, took time.Duration) arrived {
		a := arrived{bytes: make([]int64, took/wire.LoadInterval)}
		for i := range a.bytes {
			a.bytes[i] = bytes / int64(len(a.bytes))
		}
		return a
	}
	for name, c := range map[string]struct {
		idle *float64 // ms
		a    arrived
		want float64 // kbit/s; 0: unknown
	}{
		"90 kbit/s, near":                 {new(46.0), evenly(16<<10, 1460*time.Millisecond), 90},
		"satellite, still starting":       {new(610.0), evenly(14<<10, 600*time.Millisecond), 0},
		"satellite, transfer long enough": {new(610.0), evenly(1<<20, 2*time.Second), 4194},
		"fibre, very short transfer":      {new(8.0), evenly(5<<19, 80*time.Millisecond), 262144},
		"DSL, transfer too short":         {new(30.0), evenly(4<<10, 30*time.Millisecond), 0},
		"no round trip known, slow":       {nil, evenly(4<<10, 500*time.Millisecond), 0},
		"no round trip known, longer":     {nil, evenly(16<<10, 1300*time.Millisecond), 101},
		"nothing":                         {new(10.0), arrived{}, 0},
	} {
		kbps, _ := c.a.kbps(c.idle)
		got := testnet.Deref(kbps)
		if math.Abs(got-c.want*wireShare) > 0.01*c.want+1 {
			t.Errorf("%s: got %g kbit/s, want %g", name, got, c.want*wireShare)
		}
	}
}

// TestLoadedRoundTripIsOfTheFullLine: the queue has to fill first, and round trips
// after the end of the load do not count.
func TestLoadedRoundTripIsOfTheFullLine(t *testing.T) {
	begin := time.Now()
	var all []roundTrip
	for i := range 20 {
		all = append(all, roundTrip{begin.Add(time.Duration(i) * askEvery), time.Duration(i) * 10 * time.Millisecond})
	}
	if got := testnet.Deref(medianSince(all, begin.Add(10*askEvery))); got != 145 {
		t.Errorf("got %g ms, want 145", got)
	}
	if medianSince(all, begin.Add(18*askEvery)) != nil || medianSince(nil, begin) != nil {
		t.Error("got a median of two responses")
	}
}

func fixed(token string) func(context.Context) string {
	return func(context.Context) string { return token }
}

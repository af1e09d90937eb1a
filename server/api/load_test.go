package api

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/oneport"
)

func TestLoadUploadAndDownload(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	w := g.do(ask{method: http.MethodPost, path: "/api/v1/load", body: make([]byte, 200_000), token: token, contentType: bytesType})
	var receipt wire.LoadReceipt
	if err := json.Unmarshal(w.Body.Bytes(), &receipt); err != nil || w.Code != http.StatusOK {
		t.Fatalf("got status %d: %s, want 200", w.Code, w.Body)
	}
	if receipt.Bytes <= 0 || receipt.Bytes >= 200_000 || receipt.MS < 0 {
		t.Errorf("got %+v; want Bytes more than 0, Bytes less than 200000, MS at least 0", receipt)
	}
	for _, n := range []int{1, 100_000, wire.MaxLoadBytes} {
		w := g.do(ask{method: http.MethodGet, path: "/api/v1/load?bytes=" + strconv.Itoa(n), token: token})
		if w.Code != http.StatusOK || w.Body.Len() != n {
			t.Errorf("request for %d bytes: got status %d with %d bytes; want %d, %d", n, w.Code, w.Body.Len(), http.StatusOK, n)
		}
	}
}

func TestLoadIsBounded(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	for _, n := range []string{"0", "-1", "4194305", "9999999999999999999999", "x", ""} {
		wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/load?bytes=" + n, token: token}), http.StatusBadRequest, "bytes_invalid")
	}
	post := func(body []byte, kind string) ask {
		return ask{method: http.MethodPost, path: "/api/v1/load", body: body, token: token, contentType: kind}
	}
	wantFault(t, g.do(post(make([]byte, wire.MaxLoadBytes+1), bytesType)), http.StatusRequestEntityTooLarge, "too_large")
	wantFault(t, g.do(post([]byte("{}"), "application/json")), http.StatusUnsupportedMediaType, "content_type")
	half := make([]byte, wire.MaxLoadBytes/2) // 8 turns
	for range loadBurst / 8 {
		if w := g.do(post(half, bytesType)); w.Code != http.StatusOK {
			t.Fatalf("got status %d, want %d: %s", w.Code, http.StatusOK, w.Body)
		}
	}
	w := g.do(post(half, bytesType))
	wantFault(t, w, http.StatusTooManyRequests, "too_many_requests")
	if w.Header().Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	if w := g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: token}); w.Code != http.StatusOK {
		t.Errorf("the load exhausted the rate limit of other requests: got status %d, want %d", w.Code, http.StatusOK)
	}
	g.wait(8 * loadEvery)
	if w := g.do(post(half, bytesType)); w.Code != http.StatusOK {
		t.Errorf("after the wait: got status %d, want %d", w.Code, http.StatusOK)
	}
}

// drain stores an error and discards the body of a measurement: under the race
// detector, buffering 100 MB takes longer than generating them.
type drain struct {
	*httptest.ResponseRecorder
	taken int
}

func (d *drain) Write(b []byte) (int, error) {
	if d.Header().Get("Content-Type") != bytesType {
		return d.ResponseRecorder.Write(b)
	}
	d.taken += len(b)
	return len(b), nil
}

// TestLoadOfAllIsBounded: many agents, each within its own limits.
func TestLoadOfAllIsBounded(t *testing.T) {
	g := newRig(t)
	served := 0
	for n := range 2 * loadBurstAll / 16 {
		q := ask{method: http.MethodGet, path: "/api/v1/load?bytes=" + strconv.Itoa(wire.MaxLoadBytes), token: g.enrolled("agent " + strconv.Itoa(n)).Token}
		w := &drain{ResponseRecorder: httptest.NewRecorder()}
		g.handler.ServeHTTP(w, q.request(t.Context()))
		if w.taken == wire.MaxLoadBytes {
			served++
		} else if wantFault(t, w.ResponseRecorder, http.StatusServiceUnavailable, "load_busy"); w.Header().Get("Retry-After") == "" {
			t.Fatal("got no Retry-After")
		}
		g.wait(loadHold / (loadAgents - 1)) // so that a slot is free
	}
	// Each second of waiting adds 1 MB to the 128 MB.
	if most := loadBurstAll/16 + loadBurstAll/32 + 1; served < loadBurstAll/16 || served > most {
		t.Errorf("got %d of %d measurements, want %d to %d", served, 2*loadBurstAll/16, loadBurstAll/16, most)
	}
}

func TestLoadPlaces(t *testing.T) {
	now := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	r := newLoadLimiter(func() time.Time { return now })
	enter := func(agent string) (leave func()) {
		t.Helper()
		end, err := r.enter(agent)
		if err != nil {
			t.Fatalf("%s: got error %v, want none", agent, err)
		}
		return func() { end(0) }
	}
	refused := func(agent string, status int) {
		t.Helper()
		_, err := r.enter(agent)
		f, ok := errors.AsType[*Fault](err)
		if !ok || f.Status != status || f.RetryAfter <= 0 {
			t.Errorf("%s: got error %v, want status %d with RetryAfter", agent, err, status)
		}
	}
	leaves := []func(){enter("a"), enter("b"), enter("c"), enter("d")}
	for range loadTransfers - 1 {
		leaves = append(leaves, enter("a"))
	}
	refused("a", http.StatusTooManyRequests)    // it already measures
	refused("e", http.StatusServiceUnavailable) // no slot
	now = now.Add(time.Hour)
	refused("e", http.StatusServiceUnavailable) // the transfers are still running
	leaves[0]()
	now = now.Add(time.Hour)
	refused("e", http.StatusServiceUnavailable) // a's other transfers are still running
	for _, leave := range leaves[4:] {
		leave()
	}
	refused("e", http.StatusServiceUnavailable) // a's measurement continues
	enter("a")()
	now = now.Add(loadHold)
	enter("e")
	refused("a", http.StatusServiceUnavailable)
	for range 1000 { // a rejected request costs nothing
		refused("f", http.StatusServiceUnavailable)
	}
	if len(r.measuring) != loadAgents {
		t.Errorf("got %d slots in use, want %d", len(r.measuring), loadAgents)
	}
}

// TestProxiesAreNotDirect: the segments of a proxy's connection do not describe the
// agent's line.
func TestProxiesAreNotDirect(t *testing.T) {
	agent, proxy := net.Pipe()
	t.Cleanup(func() { _, _ = agent.Close(), proxy.Close() })
	for name, c := range map[string]struct {
		from, header string
		want         bool
	}{
		"an agent":                    {"203.0.113.20:40000", "", true},
		"over IPv6":                   {"[2001:db8::20]:40000", "", true},
		"nginx":                       {"192.0.2.1:40000", "X-Forwarded-For", false},
		"RFC 7239":                    {"192.0.2.1:40000", "Forwarded", false},
		"RFC 9110":                    {"192.0.2.1:40000", "Via", false},
		"on the machine":              {"127.0.0.1:40000", "", false},
		"on the machine, IPv4-mapped": {"[::ffff:127.0.0.1]:40000", "", false},
		"an unknown address":          {"@", "", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/load", nil)
		r = r.WithContext(oneport.ConnContext(t.Context(), agent))
		r.RemoteAddr = c.from
		if c.header != "" {
			r.Header.Set(c.header, "203.0.113.20")
		}
		if got := directTCP(r) != nil; got != c.want {
			t.Errorf("%s: got direct %v, want %v", name, got, c.want)
		}
	}
}

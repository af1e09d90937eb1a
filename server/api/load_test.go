package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestLoadTakesAndGives(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	w := g.do(ask{method: http.MethodPost, path: "/api/v1/load", body: make([]byte, 200_000), token: token, contentType: bytesType})
	var receipt wire.LoadReceipt
	if err := json.Unmarshal(w.Body.Bytes(), &receipt); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if receipt.Bytes <= 0 || receipt.Bytes >= 200_000 || receipt.MS < 0 {
		t.Errorf("%+v", receipt)
	}
	for _, n := range []int{1, 100_000, wire.MaxLoadBytes} {
		w := g.do(ask{method: http.MethodGet, path: "/api/v1/load?bytes=" + strconv.Itoa(n), token: token})
		if w.Code != http.StatusOK || w.Body.Len() != n {
			t.Errorf("asked for %d: %d with %d bytes", n, w.Code, w.Body.Len())
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
	for range loadBurst - 8 {
		g.do(post([]byte("x"), bytesType))
	}
	wantFault(t, g.do(post([]byte("x"), bytesType)), http.StatusTooManyRequests, "too_many_requests")
	if w := g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: token}); w.Code != http.StatusOK {
		t.Errorf("the load used up the turns of everything else: %d", w.Code)
	}
	g.wait(loadEvery)
	if w := g.do(post([]byte("x"), bytesType)); w.Code != http.StatusOK {
		t.Errorf("after the wait: %d", w.Code)
	}
}

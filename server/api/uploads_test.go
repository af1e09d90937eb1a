package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestUploadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUploads()
		status := func(err error) int {
			f, _ := errors.AsType[*Fault](err)
			if f == nil {
				return 0
			}
			return f.Status
		}
		if _, err := u.enter(t.Context(), "a", maxWireBytes+1); status(err) != http.StatusRequestEntityTooLarge {
			t.Errorf("too large: got error %v, want 413", err)
		}
		var leave []func()
		for i := range uploadBytes / maxWireBytes {
			l, err := u.enter(t.Context(), fmt.Sprint(i), -1)
			if err != nil {
				t.Fatalf("delivery %d: got error %v, want none", i, err)
			}
			leave = append(leave, l)
		}
		began := time.Now()
		if _, err := u.enter(t.Context(), "x", 1); status(err) != http.StatusServiceUnavailable || time.Since(began) != uploadWait {
			t.Errorf("beyond the limit: got error %v after %v; want 503 after %v", err, time.Since(began), uploadWait)
		}
		for _, l := range leave {
			l()
		}
		for range uploadsPerAgent {
			if _, err := u.enter(t.Context(), "x", 1); err != nil {
				t.Error(err)
			}
		}
		if _, err := u.enter(t.Context(), "x", 1); status(err) != http.StatusTooManyRequests {
			t.Errorf("another delivery of the same agent: got error %v, want 429", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := u.enter(ctx, "y", uploadBytes); err == nil {
			t.Error("the waiting deliveries were rejected too early")
		}
	})
}

// TestOneAgentCannotFillTheDisk delivers at the maximum rate of an agent.
func TestOneAgentCannotFillTheDisk(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("Anna")
	var stored int
	body := encode(t, g.newReport(e.AgentID))
	padding := bytes.Repeat([]byte(" "), 250<<10)
	for range 200 {
		g.wait(time.Second)
		if w := g.do(ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, body: append(padding, body...)}); w.Code == http.StatusAccepted {
			stored += len(padding) + len(body)
		} else if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Fatalf("got status %d: %s, want 429 with Retry-After", w.Code, w.Body)
		}
	}
	if stored < quotaBurst*quotaUnit/2 || stored > (quotaBurst+200)*quotaUnit {
		t.Errorf("got %d bytes in 200 s, want %d to %d", stored, quotaBurst*quotaUnit/2, (quotaBurst+200)*quotaUnit)
	}
}

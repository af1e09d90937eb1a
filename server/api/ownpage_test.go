package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/store"
)

func TestAnAgentRequestsACodeForItsPersonsPage(t *testing.T) {
	g := newRig(t)
	anna := g.enrolled("Anna")
	q := ask{method: http.MethodPost, path: "/" + wire.PathOwnPage}
	wantFault(t, g.do(q), http.StatusUnauthorized, wire.CodeTokenInvalid)
	q.token = anna.Token
	w := g.do(q)
	var got wire.OwnPageCode
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated || !got.ExpiresAt.Equal(g.clock().Add(10*time.Minute)) {
		t.Fatalf("got status %d, %+v, error %v; want a code for ten minutes", w.Code, got, err)
	}
	_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(anna.Token))
	if err != nil {
		t.Fatal(err)
	}
	id, err := g.store.OpenOwnPage(t.Context(), store.HashOf(got.Code), store.HashOf("visit"), g.clock(), got.ExpiresAt)
	if err != nil || id != p.ID {
		t.Errorf("got %q, error %v; want the page of %q", id, err, p.ID)
	}
	for range renewalBurst - 1 {
		g.do(q)
	}
	if w := g.do(q); w.Code != http.StatusTooManyRequests {
		t.Errorf("one code too many: got status %d, want %d", w.Code, http.StatusTooManyRequests)
	}
}

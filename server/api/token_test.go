package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/store"
)

// nextToken requests a token with another one.
func (g *rig) nextToken(token string) string {
	g.t.Helper()
	w := g.do(ask{method: http.MethodPost, path: "/" + wire.PathToken, token: token})
	var got wire.TokenResponse
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated {
		g.t.Fatalf("new token: got status %d: %s, want %d", w.Code, w.Body, http.StatusCreated)
	}
	return got.Token
}

// tokenCode returns the error code of a request with a token; "" if it is accepted.
func (g *rig) tokenCode(token string) string {
	g.t.Helper()
	w := g.do(ask{method: http.MethodGet, path: "/" + wire.PathToken, token: token})
	var body struct{ Error struct{ Code string } }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		g.t.Fatalf("%s: got error %v, want none", w.Body, err)
	}
	return body.Error.Code
}

func (g *rig) wantToken(what, token, code string) {
	g.t.Helper()
	if got := g.tokenCode(token); got != code {
		g.t.Errorf("%s: got %q, want %q", what, got, code)
	}
}

func TestTokenIsReplacedByItsUse(t *testing.T) {
	g := newRig(t)
	first := g.enrolled("A").Token
	lost := g.nextToken(first)
	second := g.nextToken(first)
	g.wantToken("a lost answer", lost, wire.CodeTokenInvalid)
	g.wantToken("the first one, before the next is used", first, "")
	g.wantToken("the second one", second, "")
	g.wantToken("the first one", first, wire.CodeTokenReplaced)
	g.wantToken("the second one, again", second, "")
	if w := g.do(ask{method: http.MethodPost, path: "/" + wire.PathToken, token: first}); w.Code != http.StatusUnauthorized {
		t.Errorf("a new token with the first one: got status %d, want %d", w.Code, http.StatusUnauthorized)
	}
}

func TestBlockingAndRevokingEndBothTokens(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	next := g.nextToken(e.Token)
	_, p, err := g.api.Store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.SetBlocked(t.Context(), p.ID, true); err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{"present": e.Token, "next": next} {
		g.wantToken("blocked, "+what, token, "participant_blocked")
	}
	if err := g.store.SetBlocked(t.Context(), p.ID, false); err != nil {
		t.Fatal(err)
	}
	g.wantToken("unblocked, present", e.Token, "") // the refused use of the next one had no effect
	if err := g.store.RevokeAgent(t.Context(), e.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{"present": e.Token, "next": next} {
		g.wantToken("revoked, "+what, token, wire.CodeTokenInvalid)
	}
}

func TestNewTokensAreLimited(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	for range renewalBurst {
		g.nextToken(token)
	}
	q := ask{method: http.MethodPost, path: "/" + wire.PathToken, token: token}
	wantFault(t, g.do(q), http.StatusTooManyRequests, "rate_limited")
	g.wait(renewalEvery)
	g.nextToken(token)
}

func TestStaffRequestANewToken(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	header := func(token string) string {
		return g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: token}).Header().Get(wire.HeaderRenewToken)
	}
	if got := header(e.Token); got != "" {
		t.Errorf("before: got %q, want none", got)
	}
	if err := g.store.AskForRenewal(t.Context(), e.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	next := g.nextToken(e.Token)
	if got := header(e.Token); got != wire.RenewTokenValue {
		t.Errorf("requested: got %q, want %q", got, wire.RenewTokenValue)
	}
	if got := header(next); got != "" {
		t.Errorf("with the new token: got %q, want none", got)
	}
}

// TestCopyWithAFormerToken distinguishes requests in flight from a copied or restored data folder.
func TestCopyWithAFormerToken(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	next := g.nextToken(e.Token)
	g.wantToken("the next one", next, "")
	g.wait(replacedGrace)
	g.wantToken("the first one, on its way", e.Token, wire.CodeTokenReplaced)
	if g.agents.State(e.AgentID).Outdated {
		t.Error("a request in flight counts as a copy")
	}
	g.wait(time.Second)
	g.wantToken("the first one, later", e.Token, wire.CodeTokenReplaced)
	if s := g.agents.State(e.AgentID); !s.Outdated || s.Copied {
		t.Errorf("got %+v, want outdated and not copied", s)
	}
	g.wantToken("the owner", next, "")
	g.wait(2 * time.Hour)
	if g.agents.State(e.AgentID).Outdated {
		t.Error("still outdated two hours later")
	}
}

// TestConnectionsEndWithTheirToken: the agent is asked over its connections, and connects again with
// the new token.
func TestConnectionsEndWithTheirToken(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	c := g.openChannel(e.Token, helloMessage)
	answers := make(chan *httptest.ResponseRecorder, 1)
	poll := func() {
		answers <- g.do(ask{method: http.MethodGet, path: pollPath + "?wait=30&instance=one&process=p", token: e.Token})
	}
	go poll()
	g.until("both are connected", func() bool { return g.agents.Connected() == 2 })
	g.agents.AskForToken(e.AgentID)
	if m := c.read(); m.Type != wire.MessageToken {
		t.Errorf("got %+v, want a %s", m, wire.MessageToken)
	}
	if all := messages(t, <-answers); len(all) != 1 || all[0].Type != wire.MessageToken {
		t.Errorf("got %+v from the poll, want one %s", all, wire.MessageToken)
	}
	next := g.nextToken(e.Token)
	go poll()
	g.wantToken("the next one", next, "")
	c.wantClose(websocket.StatusGoingAway)
	wantFault(t, <-answers, http.StatusUnauthorized, wire.CodeTokenReplaced)
	g.until("both are closed", func() bool { return !g.agents.State(e.AgentID).Connected })
	g.openChannel(next, helloMessage)
}

// TestAnotherProcessAsksOrReplaces: a connection notices at its next ping what another process did.
func TestAnotherProcessAsksOrReplaces(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	c := g.openChannel(e.Token, helloMessage)
	if err := g.store.AskForRenewal(t.Context(), e.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	g.wait(verifyEvery)
	c.send(`{"type":"progress","id":"x","probe":"nat","status":"ok"}`)
	if m := c.read(); m.Type != wire.MessageToken {
		t.Errorf("got %+v, want a %s", m, wire.MessageToken)
	}
	if err := g.store.AddToken(t.Context(), e.AgentID, store.HashOf(e.Token), store.HashOf("next")); err != nil {
		t.Fatal(err)
	}
	if err := g.store.UseToken(t.Context(), e.AgentID, store.HashOf("next"), g.clock()); err != nil {
		t.Fatal(err)
	}
	g.wait(verifyEvery)
	c.send(`{"type":"progress","id":"x","probe":"nat","status":"ok"}`)
	c.wantClose(websocket.StatusGoingAway)
}

// TestErasedAgentLearnsWhy: each token of an erased participant gets an answer of its own, also a
// delivery that was admitted before.
func TestErasedAgentLearnsWhy(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	present := g.nextToken(e.Token)
	g.wantToken("the second one", present, "")
	next := g.nextToken(present)
	_, p, err := g.api.Store.AgentByToken(t.Context(), store.HashOf(present))
	if err != nil {
		t.Fatal(err)
	}
	inFlight := g.api.admitted(func(w http.ResponseWriter, r *http.Request, c caller) error {
		if err := g.store.DeleteParticipant(r.Context(), p.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		_, err := g.store.SaveReports(r.Context(), c.ID, []store.NewReport{{Report: g.newReport(c.ID)}})
		return err
	})
	r := httptest.NewRequest(http.MethodPost, "/api/v1/reports", nil)
	r.Header.Set("Authorization", "Bearer "+present)
	w := httptest.NewRecorder()
	inFlight.ServeHTTP(w, r)
	wantFault(t, w, http.StatusForbidden, wire.CodeErased)
	for what, token := range map[string]string{"former": e.Token, "present": present, "next": next} {
		g.wantToken("erased, "+what, token, wire.CodeErased)
	}
}

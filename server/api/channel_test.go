package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	channelPath = "/" + wire.PathChannel
	pollPath    = "/" + wire.PathPoll
)

// channel is an agent's end of a channel.
type channel struct {
	g    *rig
	conn *websocket.Conn
}

func (g *rig) openChannel(token, hello string) channel {
	g.t.Helper()
	s := httptest.NewServer(g.handler)
	g.t.Cleanup(s.Close)
	conn, _, err := websocket.Dial(g.t.Context(), s.URL+channelPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	c := channel{g, conn}
	if hello != "" {
		c.send(hello)
		if m := c.read(); m.Type != wire.MessageHello {
			g.t.Fatalf("got first message %+v, want Type %v", m, wire.MessageHello)
		}
	}
	return c
}

func (c channel) send(message string) {
	c.g.t.Helper()
	if err := c.conn.Write(c.g.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		c.g.t.Fatal(err)
	}
}

func (c channel) read() wire.ChannelMessage {
	c.g.t.Helper()
	_, b, err := c.conn.Read(c.g.t.Context())
	if err != nil {
		c.g.t.Fatal(err)
	}
	m, err := wire.ParseFromCollector(b)
	if err != nil {
		c.g.t.Fatal(err)
	}
	return m
}

// wantClose checks the status with which the collector closes.
func (c channel) wantClose(code websocket.StatusCode) {
	c.g.t.Helper()
	for {
		_, _, err := c.conn.Read(c.g.t.Context())
		if err == nil {
			continue
		}
		if websocket.CloseStatus(err) != code {
			c.g.t.Errorf("got close error %v, want %d", err, code)
		}
		return
	}
}

// until polls a condition.
func (g *rig) until(what string, holds func() bool) {
	g.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("timeout waiting until %s", what)
		}
	}
}

const helloMessage = `{"type":"hello","version":"1.0","instance":"one","screen":true}`

func TestChannelCarriesARetest(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	c := g.openChannel(e.Token, helloMessage)
	r, err := g.agents.Request(e.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	if m := c.read(); m.Type != wire.MessageRetest || m.ID != r.ID || m.What != wire.RetestFull || m.By != "support" || m.ExpiresAt == nil {
		t.Errorf("got %+v; want Type %v, ID %v, What %v, By %q, ExpiresAt set", m, wire.MessageRetest, r.ID, wire.RetestFull, "support")
	}
	c.send(`{"type":"consent","id":"` + r.ID + `","given":true}`)
	c.send(`{"type":"news","of":"a newer version"}`)
	c.send(`{"type":"level","id":"` + r.ID + `","rms_dbfs":-30,"peak_dbfs":-12,"speech":true}`)
	g.until("the level arrives", func() bool { l := g.agents.State(e.AgentID).Retest.Level; return l != nil && l.Speech })
	g.agents.Cancel(e.AgentID, r.ID)
	if m := c.read(); m.Type != wire.MessageCancel || m.ID != r.ID {
		t.Errorf("got %+v; want Type %v, ID %v", m, wire.MessageCancel, r.ID)
	}
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
	g.until("the connection is closed", func() bool { return !g.agents.State(e.AgentID).Connected })
}

// TestChannelAfterAReconnect: the hello comes first, then the messages that the agent lacks.
func TestChannelAfterAReconnect(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	c := g.openChannel(e.Token, helloMessage)
	r, err := g.agents.Request(e.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.conn.CloseNow()
	g.until("the connection is closed", func() bool { return !g.agents.State(e.AgentID).Connected })
	c = g.openChannel(e.Token, helloMessage)
	if m := c.read(); m.Type != wire.MessageRetest || m.ID != r.ID {
		t.Errorf("got %+v; want Type %v, ID %v", m, wire.MessageRetest, r.ID)
	}
	_ = c.conn.CloseNow()
	g.until("the connection is closed", func() bool { return !g.agents.State(e.AgentID).Connected })
	g.agents.Cancel(e.AgentID, r.ID)
	c = g.openChannel(e.Token, `{"type":"hello","id":"`+r.ID+`","version":"1.0","instance":"one","screen":true}`)
	if m := c.read(); m.Type != wire.MessageCancel || m.ID != r.ID {
		t.Errorf("got %+v; want Type %v, ID %v", m, wire.MessageCancel, r.ID)
	}
}

func TestChannelRefusesBadMessages(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	g.openChannel(token, "").wantCloseAfter(`{"type":"consent","id":"a","given":true}`, wire.CloseMessage)
	g.openChannel(token, helloMessage).wantCloseAfter(helloMessage, wire.CloseMessage)
	g.openChannel(token, helloMessage).wantCloseAfter(`{"type":"level"`, wire.CloseMessage)
	g.openChannel(token, helloMessage).wantCloseAfter(`{"type":"hello","version":"`+strings.Repeat("x", wire.MaxChannelBytes)+`"}`, websocket.StatusMessageTooBig)
	c := g.openChannel(token, helloMessage)
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte(helloMessage)); err != nil {
		t.Fatal(err)
	}
	c.wantClose(wire.CloseMessage)
	g.until("all connections are closed", func() bool { return g.agents.Connected() == 0 })
}

func (c channel) wantCloseAfter(message string, code websocket.StatusCode) {
	c.g.t.Helper()
	c.send(message)
	c.wantClose(code)
}

func TestChannelFlood(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	for _, message := range []string{`{"type":"news"}`, wire.Beat} {
		c := g.openChannel(e.Token, helloMessage)
		go func() {
			for t.Context().Err() == nil && c.conn.Write(t.Context(), websocket.MessageText, []byte(message)) == nil {
			}
		}()
		c.wantClose(wire.CloseFlood)
	}
}

func TestChannelEndsWithTheToken(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	c := g.openChannel(e.Token, helloMessage)
	g.agents.Disconnect(e.AgentID)
	c.wantClose(wire.CloseShut)

	// Revoked by another process: noticed at a ping.
	c = g.openChannel(e.Token, helloMessage)
	closed := make(chan error, 1)
	go func() {
		_, _, err := c.conn.Read(context.WithoutCancel(t.Context()))
		closed <- err
	}()
	if err := c.conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.store.RevokeAgent(t.Context(), e.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	g.wait(verifyEvery)
	_ = c.conn.Ping(t.Context())
	if err := <-closed; websocket.CloseStatus(err) != wire.CloseShut {
		t.Errorf("got close error %v, want %d", err, wire.CloseShut)
	}

	// Noticed at a message of an agent that never pings; the message has no effect.
	e = g.enrolled("B")
	c = g.openChannel(e.Token, helloMessage)
	r, err := g.agents.Request(e.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.RevokeAgent(t.Context(), e.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	g.wait(verifyEvery)
	c.send(`{"type":"consent","id":"` + r.ID + `","given":true}`)
	c.wantClose(wire.CloseShut)
	if s := g.agents.State(e.AgentID).Retest.State; s != live.RetestAsked {
		t.Errorf("got retest state %s, want %s", s, live.RetestAsked)
	}
}

func TestChannelRefused(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	wantFault(t, g.do(ask{method: http.MethodGet, path: channelPath, token: e.Token}), http.StatusUpgradeRequired, "upgrade_missing")
	wantFault(t, g.do(ask{method: http.MethodGet, path: channelPath, token: "x"}), http.StatusUnauthorized, "token_invalid")
	g.agents.Close()
	c := g.openChannel(e.Token, "")
	c.send(helloMessage)
	if _, _, err := c.conn.Read(t.Context()); err == nil {
		t.Error("a stopping collector accepted a connection")
	}
}

// messages returns the messages of a response to a poll.
func messages(t *testing.T, w *httptest.ResponseRecorder) (all []wire.ChannelMessage) {
	t.Helper()
	var body wire.PollMessages
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("got status %d: %s, want 200", w.Code, w.Body)
	}
	for _, b := range body.Messages {
		m, err := wire.ParseFromCollector(b)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestPollCarriesARetest(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	query := "?version=1.0&instance=one&screen=1&wait=30"
	poll := func(more string) []wire.ChannelMessage {
		return messages(t, g.do(ask{method: http.MethodGet, path: pollPath + query + more, token: e.Token}))
	}
	if all := messages(t, g.do(ask{method: http.MethodGet, path: pollPath + "?wait=1", token: e.Token})); len(all) != 0 {
		t.Errorf("no new messages: got %+v, want none", all)
	}
	waiting := make(chan []wire.ChannelMessage, 1)
	go func() { waiting <- poll("") }()
	g.until("the agent polls", func() bool { return g.agents.State(e.AgentID).Screen })
	r, err := g.agents.Request(e.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	if all := <-waiting; len(all) != 1 || all[0].ID != r.ID {
		t.Errorf("got %+v; want 1 entry, [0].ID %v", all, r.ID)
	}
	// The response was lost: the agent does not know the retest and asks again.
	if all := poll(""); len(all) != 1 || all[0].ID != r.ID {
		t.Errorf("second poll: got %+v; want 1 entry, [0].ID %v", all, r.ID)
	}
	if !g.agents.State(e.AgentID).Connected {
		t.Error("the agent is not connected between two polls")
	}
	send := func(body string) *httptest.ResponseRecorder {
		return g.do(ask{method: http.MethodPost, path: pollPath + query, token: e.Token, body: []byte(body)})
	}
	if w := send(`{"messages":[{"type":"consent","id":"` + r.ID + `","given":true},{"type":"news"}]}`); w.Code != http.StatusNoContent {
		t.Errorf("consent: got status %d, want %d: %s", w.Code, http.StatusNoContent, w.Body)
	}
	if s := g.agents.State(e.AgentID).Retest.State; s != live.RetestRunning {
		t.Errorf("got state %s, want %s", s, live.RetestRunning)
	}
	go func() { waiting <- poll("&known=" + r.ID) }()
	g.agents.Cancel(e.AgentID, r.ID)
	if all := <-waiting; len(all) != 1 || all[0].Type != wire.MessageCancel {
		t.Errorf("got %+v; want 1 entry, [0].Type %v", all, wire.MessageCancel)
	}
	wantFault(t, send(`{"messages":[{"type":"consent"}]}`), http.StatusUnprocessableEntity, "message_invalid")
	wantFault(t, send(`{"messages":[`+strings.Repeat(`{"type":"news"},`, wire.MaxPollMessages)+`{"type":"news"}]}`), http.StatusBadRequest, "body_malformed")
	wantFault(t, send(`{`), http.StatusBadRequest, "body_malformed")
	// The request before and the next one, between two polls.
	next, err := g.agents.Request(e.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	if all := poll("&known=" + r.ID); len(all) != 2 || all[0].Type != wire.MessageCancel || all[0].ID != r.ID || all[1].ID != next.ID {
		t.Errorf("got %+v; want 2 entries, [0].Type %v, [0].ID %v, [1].ID %v", all, wire.MessageCancel, r.ID, next.ID)
	}
	for _, bad := range []string{"?known=a.b", "?wait=0", "?wait=241", "?wait=x", "?instance=a.b"} {
		wantFault(t, g.do(ask{method: http.MethodGet, path: pollPath + bad, token: e.Token}), http.StatusBadRequest, "poll_invalid")
	}
}

func TestPollEndsWithTheToken(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	answers := make(chan *httptest.ResponseRecorder, 2)
	poll := func() {
		answers <- g.do(ask{method: http.MethodGet, path: pollPath + "?wait=30&instance=one", token: e.Token})
	}
	go poll()
	g.until("the agent polls", func() bool { return g.agents.State(e.AgentID).Connected })
	go poll()
	if all := messages(t, <-answers); len(all) != 0 { // the second poll ends the first
		t.Errorf("got %+v, want none", all)
	}
	_, participant, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.SetBlocked(t.Context(), participant.ID, true); err != nil {
		t.Fatal(err)
	}
	g.agents.Disconnect(e.AgentID)
	wantFault(t, <-answers, http.StatusForbidden, "participant_blocked")
	if err := g.store.SetBlocked(t.Context(), participant.ID, false); err != nil {
		t.Fatal(err)
	}
	go poll()
	g.until("the agent is connected again", func() bool { return g.agents.State(e.AgentID).Connected })
	g.agents.Close()
	wantFault(t, <-answers, http.StatusServiceUnavailable, "stopping")
}

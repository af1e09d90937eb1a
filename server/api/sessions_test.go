package api

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// TestSessionsAreAnnounced: over both transports, to the agents of the participants named only.
func TestSessionsAreAnnounced(t *testing.T) {
	g := newRig(t)
	e, other := g.enrolled("A"), g.enrolled("B")
	c, foreign := g.openChannel(e.Token, helloMessage), g.openChannel(other.Token, helloMessage)
	answers := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		answers <- g.do(ask{method: http.MethodGet, path: pollPath + "?wait=30&instance=one&process=p", token: e.Token})
	}()
	g.until("all are connected", func() bool { return g.agents.Connected() == 3 })
	agent, _, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil {
		t.Fatal(err)
	}
	g.agents.AnnounceSessions(map[string]bool{agent.ParticipantID: true}, 5*time.Minute)
	want := wire.ChannelMessage{Type: wire.MessageSessions, WithinS: 300}
	if m := c.read(); m.Type != want.Type || m.WithinS != want.WithinS {
		t.Errorf("got %+v, want %+v", m, want)
	}
	if all := messages(t, <-answers); len(all) != 1 || all[0].Type != want.Type || all[0].WithinS != want.WithinS {
		t.Errorf("got %+v from the poll, want %+v", all, want)
	}
	g.agents.AskForToken(other.AgentID) // the first message that it gets
	if m := foreign.read(); m.Type != wire.MessageToken {
		t.Errorf("an agent of another participant got %+v, want only %s", m, wire.MessageToken)
	}
}

// TestALostPollIsNoticedSoon: after a lost connection, an agent counts as connected for a short time
// only, unless it polls again.
func TestALostPollIsNoticedSoon(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			agents := live.NewAgents(live.AgentsConfig{Hub: live.NewHub(), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))})
			defer agents.Close()
			ps := &pollers{}
			poll := func() {
				p, turn, ok := ps.enter(agents, live.Caller{AgentID: "a", ParticipantID: "p"}, pollHello{}, time.Minute)
				if !ok {
					t.Fatal("not connected")
				}
				time.Sleep(time.Minute)
				ps.rest(p, turn, lost)
			}
			grace := map[bool]time.Duration{false: pollGrace, true: lostGrace}[lost]
			for range 3 { // a new poll within the time
				poll()
				time.Sleep(grace - time.Second)
				synctest.Wait()
				if agents.Connected() != 1 {
					t.Fatalf("lost %t: not connected before the end of %v", lost, grace)
				}
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if agents.Connected() != 0 {
				t.Errorf("lost %t: still connected after %v", lost, grace)
			}
		})
	}
}

package web_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

// agentLine is the connection of an agent.
type agentLine struct {
	sent   []wire.ChannelMessage
	closed live.CloseReason
}

func (l *agentLine) Send(m wire.ChannelMessage) { l.sent = append(l.sent, m) }
func (l *agentLine) Close(why live.CloseReason) { l.closed = why }
func (l *agentLine) Polls() bool                { return false }

func newRetestRig(t *testing.T) (*rig, *live.Agents) {
	t.Helper()
	var agents *live.Agents
	g := newRig(t, func(c *web.Config) {
		agents = live.NewAgents(live.AgentsConfig{Hub: c.Live, Now: c.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))})
		c.Agents = agents
	})
	t.Cleanup(agents.Close)
	return g.login(), agents
}

func connectAgent(t *testing.T, agents *live.Agents, participant, agent string, screen bool) (*live.Link, *agentLine) {
	t.Helper()
	line := &agentLine{}
	link, ok := agents.Connect(live.Caller{AgentID: agent, ParticipantID: participant}, wire.ChannelMessage{Type: wire.MessageHello, Screen: screen}, line)
	if !ok {
		t.Fatal("not connected")
	}
	return link, line
}

func TestRetestFromTheParticipantPage(t *testing.T) {
	g, agents := newRetestRig(t)
	p, before := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	page := "/participants/" + p.ID
	g.want(g.get(page), http.StatusOK, "nicht verbunden", `value="full" disabled`)
	form := page + "/computers/" + before.Agent.ID + "/retest"
	g.wantRedirect(g.post(form, "what", "full"), page+"#retest") // a page that was opened long ago
	if agents.State(before.Agent.ID).Retest != nil {
		t.Fatal("a retest was started without a connection")
	}

	link, line := connectAgent(t, agents, p.ID, before.Agent.ID, true)
	if body := g.get(page).Body.String(); strings.Contains(body, "disabled") || !strings.Contains(body, ">verbunden<") {
		t.Error("the buttons are not active")
	}
	g.want(g.post(form, "what", "everything"), http.StatusBadRequest)
	g.wantRedirect(g.post(form, "what", "full"), page+"#retest")
	if len(line.sent) != 1 || line.sent[0].By != staffName || line.sent[0].What != wire.RetestFull {
		t.Fatalf("got %+v at the agent; want 1 entry, [0].By %v, [0].What %v", line.sent, staffName, wire.RetestFull)
	}
	id := line.sent[0].ID
	g.want(g.get(page), http.StatusOK, "Gefragt", "Taste J", "Abbrechen", "mit Mikrofon")
	for _, m := range []wire.ChannelMessage{
		{Type: wire.MessageConsent, Given: new(true)},
		{Type: wire.MessageProgress, Probe: "network.web", Status: wire.StatusRunning},
		{Type: wire.MessageProgress, Probe: "nat", Status: "ok"},
		{Type: wire.MessageProgress, Probe: "nat.turn", Status: "skipped"},
		{Type: wire.MessageProgress, Probe: "made.up", Status: "strange"},
		{Type: wire.MessageLevel, RMSDBFS: new(-31.4), PeakDBFS: new(-12.0), Speech: true},
	} {
		m.ID = id
		if err := link.Receive(m); err != nil {
			t.Fatal(err)
		}
	}
	part := g.get(page + "/retest")
	var fragment struct{ HTML string }
	if err := json.Unmarshal(part.Body.Bytes(), &fragment); err != nil {
		t.Fatal(err)
	}
	part.Body = bytes.NewBufferString(fragment.HTML)
	g.want(part, http.StatusOK, `value="-31"`, "Stimme", "läuft", "gemessen", "nicht geprüft", "made.up", "Läuft")
	if strings.Contains(part.Body.String(), "in Ordnung") {
		t.Error("a probe is shown as good before the diagnosis")
	}

	after := newReport(t, before.Agent.ID, "K7P-3QY", g.clock(), microphone(nil), passage(), voice(0), internet())
	done := wire.ChannelMessage{Type: wire.MessageDone, ID: id, ReportID: after.ID}
	if err := link.Receive(done); err != nil {
		t.Fatal(err)
	}
	g.want(g.get(page), http.StatusOK, "Fertig", "noch unterwegs")
	g.keep(p, after)
	g.want(g.get(page), http.StatusOK, "/reports/"+before.ID+"?alone=1", "/reports/"+after.ID+"?alone=1", "Prüfung davor", "Neue Prüfung")
	g.lang = "en"
	g.want(g.get(page), http.StatusOK, "Previous check", "The new check is finished.")
}

func TestRetestCancelledAndRefused(t *testing.T) {
	g, agents := newRetestRig(t)
	p, agent := g.person("Anna", "")
	page := "/participants/" + p.ID
	form := page + "/computers/" + agent + "/retest"
	link, line := connectAgent(t, agents, p.ID, agent, false)
	g.want(g.get(page), http.StatusOK, "nur der Dienst im Hintergrund")
	g.post(form, "what", "network")
	g.wantRedirect(g.post(form+"/cancel", "id", line.sent[0].ID), page+"#retest")
	g.want(g.get(page), http.StatusOK, "Abgebrochen")
	if last := line.sent[len(line.sent)-1]; last.Type != wire.MessageCancel {
		t.Errorf("got %+v at the agent, want a cancellation at the end", line.sent)
	}
	g.post(form, "what", "full")
	if err := link.Receive(wire.ChannelMessage{Type: wire.MessageRefused, ID: line.sent[2].ID, Why: wire.WhyNoPerson}); err != nil {
		t.Fatal(err)
	}
	g.want(g.get(page), http.StatusOK, "Nicht möglich", "Tonprobe zu öffnen")
	// An unknown reason of a newer agent, and the report of another person.
	g.post(form, "what", "network")
	if err := link.Receive(wire.ChannelMessage{Type: wire.MessageRefused, ID: line.sent[3].ID, Why: "moon"}); err != nil {
		t.Fatal(err)
	}
	g.want(g.get(page), http.StatusOK, "Die Prüfung war nicht möglich.")
	_, foreign := g.checked("Berta", "", "M2W-8RT", microphone(nil))
	g.post(form, "what", "network")
	for _, m := range []wire.ChannelMessage{{Type: wire.MessageConsent, Given: new(true)}, {Type: wire.MessageDone, ReportID: foreign.ID}} {
		m.ID = line.sent[4].ID
		if err := link.Receive(m); err != nil {
			t.Fatal(err)
		}
	}
	if body := g.get(page).Body.String(); strings.Contains(body, foreign.ID) {
		t.Error("the page links to another person's check")
	}
}

// TestChannelEndsWithTheRight: the connection of a blocked participant or a revoked computer is closed
// at once.
func TestChannelEndsWithTheRight(t *testing.T) {
	g, agents := newRetestRig(t)
	p, agent := g.person("Anna", "")
	for _, action := range []string{"/block", "/unblock", "/computers/" + agent + "/revoke", "/delete"} {
		_, line := connectAgent(t, agents, p.ID, agent, false)
		g.post("/participants/" + p.ID + action)
		if closed := line.closed != ""; closed != (action != "/unblock") {
			t.Errorf("%s: got close reason %q, want a closed connection: %v", action, line.closed, action != "/unblock")
		}
	}
}

func TestCopiedIdentityIsShown(t *testing.T) {
	g, agents := newRetestRig(t)
	p, agent := g.person("Anna", "")
	var links []*live.Link
	for _, instance := range []string{"one", "two"} {
		l, _ := agents.Connect(live.Caller{AgentID: agent, ParticipantID: p.ID}, wire.ChannelMessage{Type: wire.MessageHello, Instance: instance}, &agentLine{})
		links = append(links, l)
	}
	if body := g.get("/participants/" + p.ID).Body.String(); strings.Contains(body, "dieselbe Einrichtung") {
		t.Error("the copy is shown without evidence")
	}
	for range 2 {
		links[0].Alive()
		links[1].Alive()
	}
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "Zwei Computer benutzen dieselbe Einrichtung")
}

// TestErasedDuringARetest: the connection ends, and what the computer still sends changes nothing.
func TestErasedDuringARetest(t *testing.T) {
	g, agents := newRetestRig(t)
	p, before := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	page, agent := "/participants/"+p.ID, before.Agent.ID
	link, line := connectAgent(t, agents, p.ID, agent, true)
	g.wantRedirect(g.post(page+"/computers/"+agent+"/retest", "what", "full"), page+"#retest")
	id := line.sent[0].ID
	running := []wire.ChannelMessage{{Type: wire.MessageConsent, Given: new(true)}, {Type: wire.MessageLevel, RMSDBFS: new(-31.4), PeakDBFS: new(-12.0)}}
	for _, m := range running {
		m.ID = id
		if err := link.Receive(m); err != nil {
			t.Fatal(err)
		}
	}
	g.wantRedirect(g.post(page+"/delete"), "/?done=deleted")
	if line.closed != live.CloseRevoked {
		t.Errorf("got connection closed for %v, want %v", line.closed, live.CloseRevoked)
	}
	late := newReport(t, agent, "K7P-3QY", g.clock(), microphone(nil))
	if _, err := g.store.SaveReports(t.Context(), agent, []store.NewReport{{Report: late}}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the report of the retest: got error %v, want %v", err, store.ErrNotFound)
	}
	_ = link.Receive(wire.ChannelMessage{Type: wire.MessageDone, ID: id, ReportID: late.ID}) // whether it still gets here
	if s := agents.State(agent); s.Connected {
		t.Errorf("got state %+v, want no connection", s)
	}
	for _, address := range []string{page, page + "/retest", page + "/export", page + "/reports/" + late.ID} {
		g.want(g.get(address), http.StatusNotFound)
	}
	g.want(g.post(page+"/computers/"+agent+"/retest/cancel", "id", id), http.StatusNotFound)
	if body := g.get("/").Body.String(); strings.Contains(body, "Beispiel") {
		t.Error("the list shows an erased participant")
	}
}

package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

var testKey = []byte("the key of the test")

// eventually polls a condition.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// node is the part of a collector that this package connects.
type node struct {
	*Cluster
	hub    *live.Hub
	agents *live.Agents
}

func connector(address string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, address) }
}

func newNode(t *testing.T, address string, key []byte) node {
	t.Helper()
	return newNodeAt(t, address, key, time.Now)
}

func newNodeAt(t *testing.T, address string, key []byte, now func() time.Time) node {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	bus, err := OpenPostgres(t.Context(), connector(address), []Secret{NewSecret("the key", key, key)}, log)
	if err != nil {
		t.Fatal(err)
	}
	n := node{hub: live.NewHub()}
	n.agents = live.NewAgents(live.AgentsConfig{Hub: n.hub, Now: now, Random: rand.Reader, Log: log})
	n.Cluster, err = New(Config{Bus: bus, Key: key, Hub: n.hub, Agents: n.agents, Targets: func() []byte { return nil }, Now: now, Random: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() { n.agents.Close(); n.Close() })
	return n
}

// meet waits until each has received a message of all others.
func meet(t *testing.T, all ...node) {
	t.Helper()
	for _, n := range all {
		eventually(t, "each collector receives the messages of the others", func() bool { return n.Others() == len(all)-1 })
	}
}

func of(kind live.Kind) func(live.Event) bool {
	return func(e live.Event) bool { return e.Kind == kind }
}

type silentLine struct{}

func (silentLine) Send(wire.ChannelMessage) {}
func (silentLine) Close(live.CloseReason)   {}
func (silentLine) Polls() bool              { return false }

func (n node) connect(t *testing.T, agent string) *live.Link {
	t.Helper()
	l, ok := n.agents.Connect(live.Caller{AgentID: agent, ParticipantID: "of " + agent}, wire.ChannelMessage{Type: wire.MessageHello, Version: "1", Instance: agent, Screen: true}, silentLine{})
	if !ok {
		t.Fatal("not connected")
	}
	return l
}

func TestEventsAndStatesReachOtherCollectors(t *testing.T) {
	address := pgtest.Database(t)
	a := newNode(t, address, testKey)
	const agents = 300 // states of several notifications
	for i := range agents {
		a.connect(t, fmt.Sprint("agent ", i))
	}
	b := newNode(t, address, testKey)
	meet(t, a, b)
	eventually(t, "a new collector knows all agents", func() bool {
		for i := range agents {
			if !b.agents.State(fmt.Sprint("agent ", i)).Connected {
				return false
			}
		}
		return true
	})
	got := b.hub.SubscribeTo(t.Context(), of(live.ReportStored))
	own := a.hub.SubscribeTo(t.Context(), of(live.ReportStored))
	a.hub.Publish(live.Event{Kind: live.ReportStored, ParticipantID: "anna", ReportID: "r"})
	if e := <-got; e.ParticipantID != "anna" || e.ReportID != "r" || e.At.IsZero() {
		t.Errorf("got event %+v, want report r of anna with a time", e)
	}
	if n := len(own); n != 1 {
		t.Errorf("the collector's own pages received %d events, want 1", n)
	}
	a.agents.Close()
	a.Close()
	eventually(t, "a collector that stops announces it", func() bool { return b.Others() == 0 })
	// Its agents are disconnected after it no longer counts.
	eventually(t, "an agent of a stopped collector no longer counts as connected", func() bool { return !b.agents.State("agent 7").Connected })
}

// TestForeignNotificationsAreIgnored: any program that may connect to the database may send notifications.
func TestForeignNotificationsAreIgnored(t *testing.T) {
	address := pgtest.Database(t)
	// Time stands still, so that neither is silent for too long, as on a busy machine.
	began := time.Now()
	now := func() time.Time { return began }
	a, b := newNodeAt(t, address, testKey, now), newNodeAt(t, address, testKey, now)
	meet(t, a, b)
	a.connect(t, "agent")
	eventually(t, "the agent is known", func() bool { return b.agents.State("agent").Connected })

	foreign := codec{name: a.codec.name, key: []byte("another key")}
	forged, err := foreign.seal(message{Serial: 1 << 40, At: time.Now().UnixMilli(), Leaving: true})
	if err != nil {
		t.Fatal(err)
	}
	replayed, err := a.codec.seal(message{Serial: 1, At: time.Now().UnixMilli(), Leaving: true})
	if err != nil {
		t.Fatal(err)
	}
	unreadable := format + " " + a.codec.name + " " + a.codec.mac(a.codec.name, "[]") + " []"
	before := b.Ignored()
	texts := []string{"", "x", "{}", strings.Repeat("x", 7999), strings.Repeat(format+" ", 700), "tonprobe2 " + strings.TrimPrefix(forged, format+" "),
		forged, replayed, unreadable, "Ä\u2028 ", format + " " + strings.Repeat("a", 3000) + " b c"}
	for _, text := range texts {
		conn, err := connector(address)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `SELECT pg_notify($1, $2)`, channel, text); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are counted", func() bool { return b.Ignored()-before == len(texts) })
	if b.Others() != 1 || !b.agents.State("agent").Connected {
		t.Error("a foreign notification had an effect")
	}
	got := b.hub.SubscribeTo(t.Context(), of(live.ReportStored))
	a.hub.Publish(live.Event{Kind: live.ReportStored, ParticipantID: "anna"})
	<-got
}

// TestRepeatedMessagesOfACollectorThatLeft: a program that has recorded messages can send them again.
func TestRepeatedMessagesOfACollectorThatLeft(t *testing.T) {
	now := time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	var log bytes.Buffer
	c, err := New(Config{Bus: recordingBus{make(chan []string, 100)}, Key: testKey, Hub: live.NewHub(), Now: clock, Random: rand.Reader,
		Targets: func() []byte { return nil }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.Agents = live.NewAgents(live.AgentsConfig{Hub: c.Hub, Now: clock, Random: rand.Reader, Log: c.Log})
	sealed := func(from string, m message) string {
		t.Helper()
		m.At = now.UnixMilli()
		text, err := codec{name: from, key: testKey}.seal(m)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	stopped := []string{sealed("stopped", message{Serial: 7}), sealed("stopped", message{Serial: 8, Leaving: true})}
	silent := []string{sealed("silent", message{Serial: 7}), sealed("silent", message{Serial: 8})}
	for _, text := range append(stopped, silent...) {
		c.receive(text)
	}
	if c.Ignored() != 0 || c.Others() != 1 {
		t.Fatalf("got %d ignored, %d others; want none, 1", c.Ignored(), c.Others())
	}
	refused := func(when string) {
		t.Helper()
		before := c.Ignored()
		for _, text := range append(stopped, silent...) {
			c.receive(text)
		}
		if c.Others() != 0 || c.Ignored()-before != 4 {
			t.Errorf("%s: got %d others, %d ignored; want none, 4", when, c.Others(), c.Ignored()-before)
		}
	}
	now = now.Add(silentAfter)
	c.dropSilent()
	refused("they are recent")
	for range 2 * int(rememberFor/silentAfter) {
		now = now.Add(silentAfter)
		c.dropSilent()
		refused("they are old")
	}
	if len(c.gone) != 0 {
		t.Errorf("got %d serials kept after rememberFor, want none", len(c.gone))
	}
	if n := strings.Count(log.String(), "synchronise the clocks"); n != 1 {
		t.Errorf("got %d warnings, want 1: %s", n, log.String())
	}
	c.receive(sealed("silent", message{Serial: 9}))
	if c.Others() != 1 {
		t.Error("a collector that was silent for some time is not heard again")
	}
	ahead := sealed("ahead", message{Serial: 1})
	now = now.Add(-maxClockDifference - time.Second)
	before := c.Ignored()
	if c.receive(ahead); c.Ignored() != before+1 {
		t.Error("a message from the future is not ignored")
	}
}

// TestLostConnections: a collector that cannot reach the database is dropped by the others, and its
// pages read everything again afterwards.
func TestLostConnections(t *testing.T) {
	address := pgtest.Database(t)
	proxy := pgtest.NewProxy(t, address)
	a, b := newNode(t, address, testKey), newNode(t, proxy.URL, testKey)
	meet(t, a, b)
	a.connect(t, "at a")
	b.connect(t, "at b")
	both := func() bool { return a.agents.State("at b").Connected && b.agents.State("at a").Connected }
	eventually(t, "both are known", both)
	proxy.Cut()
	eventually(t, "both count as disconnected", func() bool {
		return !a.agents.State("at b").Connected && !b.agents.State("at a").Connected
	})
	again := b.hub.SubscribeTo(t.Context(), of(live.Resync))
	a.hub.Publish(live.Event{Kind: live.ReportStored, ParticipantID: "missed"})
	proxy.Restore()
	<-again
	eventually(t, "both are known again", both)
	got := b.hub.SubscribeTo(t.Context(), of(live.ReportStored))
	a.hub.Publish(live.Event{Kind: live.ReportStored, ParticipantID: "anna"})
	for e := range got {
		if e.ParticipantID == "anna" {
			break
		}
	}
}

func TestSecretsAreCompared(t *testing.T) {
	address := pgtest.Database(t)
	first := NewSecret("the first", testKey, []byte("same"))
	second := func(value string) Secret { return NewSecret("the second", testKey, []byte(value)) }
	open := func(value string) (*Postgres, error) {
		return OpenPostgres(t.Context(), connector(address), []Secret{first, second(value)}, slog.New(slog.DiscardHandler))
	}
	one, err := open("x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open("y"); !errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), "the second") {
		t.Errorf("another secret: got error %v, want %v for the second", err, ErrSecret)
	}
	same, err := open("x")
	if err != nil {
		t.Fatalf("the same secrets: %v", err)
	}
	same.Close()
	one.Close()
	eventually(t, "nothing is left of collectors that have ended", func() bool {
		p, err := open("y")
		if err != nil {
			return false
		}
		p.Close()
		return true
	})
}

func TestOneLeads(t *testing.T) {
	address := pgtest.Database(t)
	a := newNode(t, address, testKey)
	eventually(t, "the only one leads", a.Leads)
	b := newNode(t, address, testKey)
	meet(t, a, b)
	if b.Leads() {
		t.Error("two collectors lead")
	}
	pgtest.Exec(t, address, `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE d.datname = current_database() AND locktype = 'advisory' AND classid::bigint = `+fmt.Sprint(leadClass)+` AND granted`)
	eventually(t, "one leads after the connection was lost", func() bool { return a.Leads() != b.Leads() })
	leader, next := a, b
	if b.Leads() {
		leader, next = b, a
	}
	leader.agents.Close()
	leader.Close()
	eventually(t, "the next one leads", next.Leads)
}

// recordingBus is a Bus that records the batches.
type recordingBus struct{ batches chan []string }

func (b recordingBus) Listen(ctx context.Context, ready func(), _ func(string)) error {
	ready()
	<-ctx.Done()
	return ctx.Err()
}

func (b recordingBus) Send(_ context.Context, texts []string) error {
	b.batches <- texts
	return nil
}
func (recordingBus) Lead(context.Context) (bool, error) { return true, nil }
func (recordingBus) Close()                             {}

// TestManyEventsAreFewNotifications: each transaction with a notification takes a lock on the whole
// database.
func TestManyEventsAreFewNotifications(t *testing.T) {
	c, err := New(Config{Bus: recordingBus{make(chan []string, 100)}, Key: testKey, Hub: live.NewHub(), Now: time.Now, Random: rand.Reader, Targets: func() []byte { return nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c.Agents = live.NewAgents(live.AgentsConfig{Hub: c.Hub, Now: time.Now, Random: rand.Reader, Log: c.Log})
	const events = 1000
	id := "0192f5b8-7c3e-7d21-9a4b-3f2e1d0c5b6a"
	for i := range events {
		c.publish(live.Event{Kind: live.ReportStored, ParticipantID: fmt.Sprint(i, id), ReportID: id})
		c.publish(live.Event{Kind: live.ReportStored, ParticipantID: fmt.Sprint(i, id), ReportID: id}) // the same again
	}
	var serial uint64
	if err := c.sendBatch(t.Context(), &serial, c.take(false), true); err != nil {
		t.Fatal(err)
	}
	texts := <-c.Bus.(recordingBus).batches
	found := 0
	for _, text := range texts {
		if len(text) > maxPayload {
			t.Errorf("a notification has %d bytes, want at most %d", len(text), maxPayload)
		}
		_, m, _, err := codec{name: "other", key: testKey}.open(text)
		if err != nil {
			t.Fatal(err)
		}
		found += len(m.Events)
	}
	if found != events || len(texts) > events*120/(maxPayload-overhead)+1 {
		t.Errorf("got %d events in %d notifications, want each of %d once", found, len(texts), events)
	}
	for i := range 2 * maxEvents {
		c.publish(live.Event{Kind: live.ReportStored, ParticipantID: fmt.Sprint(i)})
	}
	if b := c.take(false); len(b.events) != 0 || !b.missed {
		t.Errorf("a flood: %d events wait, missed is %v; want none, true", len(b.events), b.missed)
	}
}

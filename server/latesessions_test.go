package server

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
)

// recordedLine is a connection that records the messages.
type recordedLine struct{ sent []wire.ChannelMessage }

func (l *recordedLine) Send(m wire.ChannelMessage) { l.sent = append(l.sent, m) }
func (l *recordedLine) Close(live.CloseReason)     {}
func (l *recordedLine) Polls() bool                { return false }

// take returns the time within which the agent must send its request, if it received an announcement
// since the last call; 0 if not.
func (l *recordedLine) take() (within time.Duration) {
	for _, m := range l.sent {
		within = time.Duration(m.WithinS) * time.Second
	}
	l.sent = nil
	return within
}

// TestLateSessionsAreAnnounced: the agents of a council receive an announcement of each change that
// concerns the next day, in time for a check, and of no other change. Other agents receive none.
func TestLateSessionsAreAnnounced(t *testing.T) {
	ctx := t.Context()
	s := sqlitetest.Open(t)
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	agents := live.NewAgents(live.AgentsConfig{Hub: live.NewHub(), Now: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	defer agents.Close()
	connect := func(council string) *recordedLine {
		p := store.Participant{ID: uuid.NewString(), Name: council, CreatedAt: now}
		if err := errors.Join(s.AddParticipant(ctx, p), s.AddCouncil(ctx, store.Council{ID: council, Name: council, CreatedAt: now}),
			s.AddCouncilMember(ctx, council, p.ID)); err != nil {
			t.Fatal(err)
		}
		line := &recordedLine{}
		if _, ok := agents.Connect(live.Caller{AgentID: uuid.NewString(), ParticipantID: p.ID}, wire.ChannelMessage{Type: wire.MessageHello}, line); !ok {
			t.Fatal("not connected")
		}
		return line
	}
	rat, ausschuss := uuid.NewString(), uuid.NewString()
	member, other := connect(rat), connect(ausschuss)
	session := func(in time.Duration) store.CouncilSession {
		return store.CouncilSession{ID: uuid.NewString(), CouncilID: rat, Title: "Sitzung", StartsAt: now.Add(in)}
	}
	planned, tomorrow := session(20*time.Hour), session(30*time.Hour)
	if err := errors.Join(s.AddCouncilSession(ctx, planned), s.AddCouncilSession(ctx, tomorrow)); err != nil {
		t.Fatal(err)
	}
	late := &lateSessions{store: s, agents: agents, now: clock, log: slog.New(slog.DiscardHandler)}
	soon, minutes := session(2*time.Hour), session(6*time.Minute)
	moved := planned
	moved.StartsAt = now.Add(21 * time.Hour)
	away := moved
	away.StartsAt = now.Add(90 * 24 * time.Hour)
	cancelled := soon
	cancelled.Cancelled = true
	for _, c := range []struct {
		what   string
		change func() error
		within time.Duration
	}{
		{"at the start of the collector", func() error { return nil }, 0},
		{"nothing has changed", func() error { return nil }, 0},
		{"a session in a week", func() error { return s.AddCouncilSession(ctx, session(7*24*time.Hour)) }, 0},
		{"a session in two hours", func() error { return s.AddCouncilSession(ctx, soon) }, 15 * time.Minute},
		{"nothing more", func() error { return nil }, 0},
		{"another title", func() error { soon.Title = "Sondersitzung"; return s.ChangeCouncilSession(ctx, soon) }, 0},
		{"a session in six minutes", func() error { return s.AddCouncilSession(ctx, minutes) }, 2 * time.Minute},
		{"moved by an hour", func() error { return s.ChangeCouncilSession(ctx, moved) }, 15 * time.Minute},
		{"moved by months", func() error { return s.ChangeCouncilSession(ctx, away) }, 15 * time.Minute},
		{"cancelled", func() error { return s.ChangeCouncilSession(ctx, cancelled) }, 15 * time.Minute},
		{"removed after it was cancelled", func() error { return s.RemoveCouncilSession(ctx, soon.ID) }, 0},
		{"removed", func() error { return s.RemoveCouncilSession(ctx, minutes.ID) }, 2 * time.Minute},
		{"a day passes", func() error { now = now.Add(15 * time.Hour); return nil }, 0},
		{"a running session", func() error {
			running := session(-time.Hour)
			running.EndsAt = now.Add(time.Hour)
			return s.AddCouncilSession(ctx, running)
		}, time.Minute},
		{"too late for a check", func() error { return s.AddCouncilSession(ctx, session(time.Minute)) }, time.Minute},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if err := late.check(ctx); err != nil {
			t.Fatal(err)
		}
		if got := member.take(); got != c.within {
			t.Errorf("%s: the member may wait %v, want %v", c.what, got, c.within)
		}
		if got := other.take(); got != 0 {
			t.Errorf("%s: an agent of another council was told", c.what)
		}
	}
}

// TestMembersOfLateSessionsAreAnnounced: the agents of people who become or cease to be members of a
// council with a session receive an announcement; the others receive no second one.
func TestMembersOfLateSessionsAreAnnounced(t *testing.T) {
	ctx := t.Context()
	s := sqlitetest.Open(t)
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	agents := live.NewAgents(live.AgentsConfig{Hub: live.NewHub(), Now: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	defer agents.Close()
	var ids []string
	var lines []*recordedLine
	for _, name := range []string{"Anna", "Berta", "Cäsar"} {
		p := store.Participant{ID: uuid.NewString(), Name: name, CreatedAt: now}
		if err := s.AddParticipant(ctx, p); err != nil {
			t.Fatal(err)
		}
		line := &recordedLine{}
		if _, ok := agents.Connect(live.Caller{AgentID: uuid.NewString(), ParticipantID: p.ID}, wire.ChannelMessage{Type: wire.MessageHello}, line); !ok {
			t.Fatal("not connected")
		}
		ids, lines = append(ids, p.ID), append(lines, line)
	}
	soon, cancelled, later := uuid.NewString(), uuid.NewString(), uuid.NewString()
	for _, c := range []struct {
		council   string
		in        time.Duration
		cancelled bool
	}{{soon, time.Hour, false}, {cancelled, time.Hour, true}, {later, 30 * time.Hour, false}} {
		if err := errors.Join(s.AddCouncil(ctx, store.Council{ID: c.council, Name: c.council, CreatedAt: now}),
			s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: c.council, StartsAt: now.Add(c.in), Cancelled: c.cancelled})); err != nil {
			t.Fatal(err)
		}
	}
	late := &lateSessions{store: s, agents: agents, now: clock, log: slog.New(slog.DiscardHandler)}
	const quarter = 15 * time.Minute
	for _, c := range []struct {
		what   string
		change func() error
		within [3]time.Duration
	}{
		{"at the start of the collector", func() error { return nil }, [3]time.Duration{}},
		{"the first member", func() error { return s.AddCouncilMember(ctx, soon, ids[0]) }, [3]time.Duration{quarter}},
		{"nothing more", func() error { return nil }, [3]time.Duration{}},
		{"another member", func() error { return s.AddCouncilMember(ctx, soon, ids[1]) }, [3]time.Duration{0, quarter}},
		{"replaced", func() error { return s.SetCouncilMembers(ctx, soon, []string{ids[2], ids[0]}) }, [3]time.Duration{0, quarter, quarter}},
		{"of a cancelled session", func() error { return s.AddCouncilMember(ctx, cancelled, ids[1]) }, [3]time.Duration{}},
		{"of a session in two days", func() error { return s.AddCouncilMember(ctx, later, ids[1]) }, [3]time.Duration{}},
		{"the council is removed", func() error { return s.RemoveCouncil(ctx, soon) }, [3]time.Duration{quarter, 0, quarter}},
		{"a day passes", func() error { now = now.Add(7 * time.Hour); return nil }, [3]time.Duration{}},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if err := late.check(ctx); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		for i, line := range lines {
			if got := line.take(); got != c.within[i] {
				t.Errorf("%s: member %d may wait %v, want %v", c.what, i, got, c.within[i])
			}
		}
	}
}

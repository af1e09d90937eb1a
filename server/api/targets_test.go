package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/target"
)

// Changes take effect with the next request; no response contains a secret.
func TestTargets(t *testing.T) {
	file := target.In(t.TempDir())
	g := newRig(t, func(c *Config) { c.Targets = target.Provider{File: file, Now: c.Now, Random: rand.Reader} })
	e := g.enrolled("A")
	ask := ask{method: http.MethodGet, path: "/" + wire.PathTargets, token: e.Token}
	list := func() *wire.Targets {
		t.Helper()
		w := g.do(ask)
		got, err := wire.ParseTargets(w.Body.Bytes())
		if err != nil || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "geheim") {
			t.Fatalf("got status %d: %s, error %v; want 200, not to be stored, without the secret", w.Code, w.Body, err)
		}
		return got
	}
	if got := list(); len(got.Targets) != 0 {
		t.Errorf("got %+v, want no targets", got)
	}
	for _, added := range []target.Target{
		{Name: "Rat", System: "bbb", URL: "https://bbb.example.org", Secret: "geheim"},
		{Name: "lk", System: "livekit", URL: "https://lk.example.org", APIKey: "key", APISecret: "geheim"},
	} {
		added, err := added.Normalize()
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Add(t.Context(), added); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); len(got.Targets) != 2 || got.Targets[0].Room == nil || got.Targets[1].Name != "Rat" || got.Targets[1].Profile != "bbb" {
		t.Errorf("got %+v, want 2 targets", got)
	}
	if err := file.Remove(t.Context(), "lk"); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got.Targets) != 1 {
		t.Errorf("got %+v, want 1 target", got)
	}
}

type brokenTargets struct{}

func (brokenTargets) Targets(context.Context, string) (wire.Targets, error) {
	return wire.Targets{}, errors.New("secret path")
}

func TestTargetsCannotBeRead(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Targets = brokenTargets{} })
	w := g.do(ask{method: http.MethodGet, path: "/" + wire.PathTargets, token: g.enrolled("A").Token})
	wantFault(t, w, http.StatusInternalServerError, "internal")
	if strings.Contains(w.Body.String(), "path") {
		t.Errorf("the response contains the error: %s", w.Body)
	}
}

// TestAnnouncedSessions: an agent learns of the sessions of its own participant.
func TestAnnouncedSessions(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Targets = target.Provider{File: target.In(t.TempDir()), Now: c.Now, Random: rand.Reader}
	})
	anna, berta := g.enrolled("Anna"), g.enrolled("Berta")
	now := g.clock()
	add := func(agentID string, n int, change func(int, *store.CouncilSession)) {
		t.Helper()
		council := store.Council{ID: uuid.NewString(), Name: agentID, CreatedAt: now}
		_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(agentID))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(g.store.AddCouncil(t.Context(), council), g.store.AddCouncilMember(t.Context(), council.ID, p.ID)); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			s := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "geheim", StartsAt: now.Add(time.Duration(i+1) * time.Hour).Truncate(time.Second), Target: "Rat", Profile: "bbb"}
			change(i, &s)
			if err := g.store.AddCouncilSession(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(anna.Token, 5, func(i int, s *store.CouncilSession) {
		switch i {
		case 0:
			s.EndsAt = s.StartsAt.Add(3 * time.Hour)
		case 1:
			s.Cancelled = true
		case 2:
			s.StartsAt = now.AddDate(0, 0, 15)
		case 3:
			s.StartsAt = now.Add(-30 * time.Hour)
		case 4:
			s.StartsAt, s.EndsAt = now.Add(-5*time.Hour).Truncate(time.Second), now.Add(-3*time.Hour).Truncate(time.Second)
		}
	})
	add(berta.Token, 30, func(int, *store.CouncilSession) {})
	ask := func(token string) *wire.Targets {
		t.Helper()
		w := g.do(ask{method: http.MethodGet, path: "/" + wire.PathTargets, token: token})
		got, err := wire.ParseTargets(w.Body.Bytes())
		if err != nil || w.Code != http.StatusOK || strings.Contains(w.Body.String(), "geheim") {
			t.Fatalf("got status %d: %s, error %v; want %d, without %q", w.Code, w.Body, err, http.StatusOK, "geheim")
		}
		return got
	}
	got := ask(anna.Token).Sessions
	start := now.Add(time.Hour).Truncate(time.Second)
	if len(got) == 2 && got[0].StartsAt.Equal(now.Add(-5*time.Hour).Truncate(time.Second)) {
		got = got[1:]
	} else {
		t.Errorf("got sessions %+v for Anna, want first the one that was planned to end 3 h ago", got)
	}
	if len(got) != 1 || !got[0].StartsAt.Equal(start) || got[0].EndsAt == nil || !got[0].EndsAt.Equal(start.Add(3*time.Hour)) || got[0].Target != "Rat" || got[0].Profile != "bbb" {
		t.Errorf("got sessions %+v for Anna, want the one at %v", got, start)
	}
	if got := ask(berta.Token).Sessions; len(got) != wire.MaxSessions || got[0].EndsAt != nil {
		t.Errorf("got %d sessions for Berta, want the first %d", len(got), wire.MaxSessions)
	}
}

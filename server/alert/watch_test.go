package alert

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

type noSessions struct{ Store }

func (noSessions) CouncilSessions(context.Context, store.SessionQuery) (store.SessionPage, error) {
	return store.SessionPage{}, nil
}

// TestOneOfSeveralCollectorsTells: of several collectors, the leading one tells about participants, and
// each about itself.
func TestOneOfSeveralCollectorsTells(t *testing.T) {
	for leads, want := range map[bool]int{true: 2, false: 1} {
		queue := make(chan Message, 10)
		w := &Watch{
			Settings: &Settings{Language: "de", Rules: []Rule{{Name: "common", When: CommonCause, To: []string{"hook"}}, {Name: "own", When: Collector, To: []string{"hook"}}}},
			Store:    noSessions{},
			Common: func() []fleet.Finding {
				return []fleet.Finding{{Code: fleet.CodeProvider, Key: "AS64498", Affected: []string{"a", "b"}, Members: 3}}
			},
			Ready:  map[string]func(context.Context) error{"database": func(context.Context) error { return errors.New("away") }},
			Sender: Sender{Now: time.Now}, Zone: time.UTC, Log: slog.New(slog.DiscardHandler), Leads: func() bool { return leads },
			queues: map[string]chan Message{"hook": queue},
		}
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(queue); got != want {
			t.Errorf("leads %v: got %d messages, want %d", leads, got, want)
		}
	}
}

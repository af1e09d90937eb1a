package sqlstore

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// TestEnrolAfterALostAnswer: the agent that used a code may use it again for some minutes, because it may never
// have received its token. Nobody else may, nor an agent that has used its token.
func TestEnrolAfterALostAnswer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for name, c := range map[string]struct {
			after         time.Duration
			another, seen bool
			revoked       bool
			want          error
		}{
			"the same agent":      {after: time.Minute},
			"another agent":       {after: time.Minute, another: true, want: store.ErrNotFound},
			"after its first use": {after: time.Minute, seen: true, want: store.ErrNotFound},
			"after its removal":   {after: time.Minute, revoked: true, want: store.ErrNotFound},
			"too late":            {after: store.LostAnswer, want: store.ErrNotFound},
		} {
			p := store.Participant{ID: uuid.NewString(), Name: "Anna", CreatedAt: evening}
			code, agent := store.HashOf(uuid.NewString()), uuid.NewString()
			first, second := store.HashOf(uuid.NewString()), store.HashOf(uuid.NewString())
			enrol := func(agent string, token store.Hash, at time.Time) error {
				_, err := s.Enrol(ctx, code, store.NewAgent{ID: agent, TokenHash: token}, at)
				return err
			}
			if err := errors.Join(
				s.AddParticipant(ctx, p),
				s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}),
				enrol(agent, first, evening),
			); err != nil {
				t.Fatal(err)
			}
			if c.seen {
				if err := s.TouchAgent(ctx, agent, evening.Add(30*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
			if c.revoked {
				if err := s.RevokeAgent(ctx, agent, evening.Add(30*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
			again := agent
			if c.another {
				again = uuid.NewString()
			}
			if err := enrol(again, second, evening.Add(c.after)); !errors.Is(err, c.want) {
				t.Errorf("%s: got error %v, want %v", name, err, c.want)
			}
			valid, invalid := first, second
			if c.want == nil {
				valid, invalid = second, first
			}
			if _, _, err := s.AgentByToken(ctx, invalid); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: got error %v of the other token, want %v", name, err, store.ErrNotFound)
			}
			if got, _, err := s.AgentByToken(ctx, valid); !c.revoked && (err != nil || got.ID != agent) {
				t.Errorf("%s: got agent %s, error %v, want %s", name, got.ID, err, agent)
			}
		}
	})
}

package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

func enrol(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "A", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	add := func(code string) store.Hash {
		h := store.HashOf(code)
		must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: h, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		return h
	}
	code := add("one")
	wantError(t, "same code", s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: p.ID}), store.ErrExists)
	a := store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("token"), Version: "1.2", OS: "windows", Arch: "amd64"}
	enrolAt := func(code store.Hash, at time.Time) error {
		_, err := s.Enrol(t.Context(), code, a, at)
		return err
	}
	wantError(t, "unknown", enrolAt(store.HashOf("x"), evening), store.ErrNotFound)
	wantError(t, "expired", enrolAt(code, evening.Add(time.Hour)), store.ErrNotFound)
	must(t, s.SetBlocked(t.Context(), p.ID, true))
	wantError(t, "blocked", enrolAt(code, evening), store.ErrNotFound)
	must(t, s.SetBlocked(t.Context(), p.ID, false))
	got, err := s.Enrol(t.Context(), code, a, evening.Add(time.Minute))
	must(t, err)
	if got.ID != p.ID {
		t.Errorf("got participant %s, want %s", got.ID, p.ID)
	}
	_, err = s.Enrol(t.Context(), code, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("another")}, evening.Add(2*time.Minute))
	wantError(t, "used by another agent", err, store.ErrNotFound)
	wantError(t, "used long ago", enrolAt(code, evening.Add(time.Minute+store.LostAnswer)), store.ErrNotFound)

	agent, owner, err := s.AgentByToken(t.Context(), a.TokenHash)
	must(t, err)
	if agent.ID != a.ID || agent.OS != "windows" || owner.ID != p.ID || !agent.LastSeenAt.Equal(evening.Add(time.Minute)) {
		t.Errorf("got agent %+v of %+v; want ID %v, OS %q, LastSeenAt %v, ID %v", agent, owner, a.ID, "windows", evening.Add(time.Minute), p.ID)
	}
	_, _, err = s.AgentByToken(t.Context(), store.HashOf("other"))
	wantError(t, "unknown token", err, store.ErrNotFound)
	must(t, s.TouchAgent(t.Context(), a.ID, evening.Add(time.Hour)))
	must(t, s.TouchAgent(t.Context(), a.ID, evening.Add(time.Hour-30*time.Second))) // requests overlap
	state, err := s.ParticipantState(t.Context(), p.ID)
	must(t, err)
	if !state.Enrolled || !state.LastSeenAt.Equal(evening.Add(time.Hour)) || state.Last != nil {
		t.Errorf("got state %+v; want Enrolled true, LastSeenAt %v, no Last", state, evening.Add(time.Hour))
	}
	wantError(t, "touch an unknown agent", s.TouchAgent(t.Context(), "x", evening), store.ErrNotFound)
}

func enrolOnce(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "A", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	code := store.HashOf("code")
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			a := store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf(fmt.Sprint(i))}
			_, errs[i] = s.Enrol(t.Context(), code, a, evening)
		})
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		} else {
			wantError(t, "second use", err, store.ErrNotFound)
		}
	}
	agents, err := s.Agents(t.Context(), p.ID)
	must(t, err)
	if good != 1 || len(agents) != 1 {
		t.Errorf("one code enrolled %d agents, %d are stored", good, len(agents))
	}
}

func sameAgentAgain(t *testing.T, s store.Store) {
	mine, agent := person(t, s, "A")
	other, _ := person(t, s, "B")
	again := func(participantID, code string) error {
		h := store.HashOf(code)
		must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: h, ParticipantID: participantID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		_, err := s.Enrol(t.Context(), h, store.NewAgent{ID: agent, TokenHash: h}, evening)
		return err
	}
	wantError(t, "an agent of another participant", again(other, "theirs"), store.ErrExists)
	_, err := s.Enrol(t.Context(), store.HashOf("theirs"), store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("t")}, evening)
	must(t, err) // the code was not used up
	must(t, again(mine, "mine"))
	_, _, err = s.AgentByToken(t.Context(), store.HashOf(agent))
	wantError(t, "old token", err, store.ErrNotFound)
	if _, p, err := s.AgentByToken(t.Context(), store.HashOf("mine")); err != nil || p.ID != mine {
		t.Errorf("new token: got %v, error %v; want ID %v", p, err, mine)
	}
}

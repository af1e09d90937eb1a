package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

func tokens(t *testing.T, s store.Store) {
	anna, agent := person(t, s, "Anna")
	hash := store.HashOf
	first := hash(agent) // see agentOf
	wantError(t, "not the current token", s.AddToken(t.Context(), agent, hash("x"), hash("second")), store.ErrNotFound)
	wantError(t, "token of an unknown agent", s.AddToken(t.Context(), "x", first, hash("second")), store.ErrNotFound)
	wantError(t, "use without a next one", s.UseToken(t.Context(), agent, hash("second"), evening), store.ErrNotFound)
	wantError(t, "request of an unknown agent", s.AskForRenewal(t.Context(), "x", evening), store.ErrNotFound)
	must(t, s.AskForRenewal(t.Context(), agent, evening))

	must(t, s.AddToken(t.Context(), agent, first, hash("lost")))
	must(t, s.AddToken(t.Context(), agent, first, hash("second")))
	wantError(t, "use of one that was replaced unused", s.UseToken(t.Context(), agent, hash("lost"), evening), store.ErrNotFound)
	_, err := s.AgentByOtherToken(t.Context(), hash("lost"))
	wantError(t, "one that was replaced unused", err, store.ErrNotFound)
	if a, _, err := s.AgentByToken(t.Context(), first); err != nil || !a.RenewalAskedAt.Equal(evening) {
		t.Errorf("before the use of the next: got %+v, error %v, want the first to be current and a renewal requested at %v", a, err, evening)
	}
	if o, err := s.AgentByOtherToken(t.Context(), hash("second")); err != nil || o.Agent.ID != agent || o.Participant.ID != anna || !o.ReplacedAt.IsZero() {
		t.Errorf("the next: got %+v, error %v, want agent %s of %s, not replaced", o, err, agent, anna)
	}

	later := evening.Add(time.Hour)
	must(t, s.UseToken(t.Context(), agent, hash("second"), later))
	wantError(t, "use again", s.UseToken(t.Context(), agent, hash("second"), later), store.ErrNotFound)
	if a, _, err := s.AgentByToken(t.Context(), hash("second")); err != nil || a.ID != agent || !a.RenewalAskedAt.IsZero() {
		t.Errorf("after its use: got %+v, error %v, want agent %s, no renewal requested", a, err, agent)
	}
	_, _, err = s.AgentByToken(t.Context(), first)
	wantError(t, "the former token", err, store.ErrNotFound)
	if o, err := s.AgentByOtherToken(t.Context(), first); err != nil || o.Agent.ID != agent || !o.ReplacedAt.Equal(later) {
		t.Errorf("the former: got %+v, error %v, want agent %s, replaced at %v", o, err, agent, later)
	}
	wantError(t, "add with the former", s.AddToken(t.Context(), agent, first, hash("third")), store.ErrNotFound)

	// Former tokens are not kept indefinitely.
	must(t, s.AddToken(t.Context(), agent, hash("second"), hash("third")))
	must(t, s.UseToken(t.Context(), agent, hash("third"), later.AddDate(2, 0, 0)))
	_, err = s.AgentByOtherToken(t.Context(), first)
	wantError(t, "the first after two years", err, store.ErrNotFound)
	if _, err := s.AgentByOtherToken(t.Context(), hash("second")); err != nil {
		t.Errorf("the second: got error %v, want it to be known", err)
	}

	must(t, s.AddToken(t.Context(), agent, hash("third"), hash("fourth")))
	must(t, s.RevokeAgent(t.Context(), agent, evening))
	for _, token := range []string{"second", "third", "fourth"} {
		_, _, current := s.AgentByToken(t.Context(), hash(token))
		_, other := s.AgentByOtherToken(t.Context(), hash(token))
		wantError(t, token+" after the revocation", current, store.ErrNotFound)
		wantError(t, token+" after the revocation, as another one", other, store.ErrNotFound)
	}
	wantError(t, "request of a revoked agent", s.AskForRenewal(t.Context(), agent, evening), store.ErrNotFound)

	code := hash("code")
	enrolAgain := func(token string) {
		t.Helper()
		must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: anna, ExpiresAt: evening.Add(time.Hour)}))
		_, err := s.Enrol(t.Context(), code, store.NewAgent{ID: agent, TokenHash: hash(token)}, evening)
		must(t, err)
	}
	enrolAgain("fifth")
	must(t, s.AddToken(t.Context(), agent, hash("fifth"), hash("sixth")))
	code = hash("another code")
	enrolAgain("seventh")
	wantError(t, "the next one after a new enrolment", s.UseToken(t.Context(), agent, hash("sixth"), evening), store.ErrNotFound)

	must(t, s.AddToken(t.Context(), agent, hash("seventh"), hash("eighth")))
	must(t, s.DeleteParticipant(t.Context(), anna, evening))
	_, err = s.AgentByOtherToken(t.Context(), hash("eighth"))
	wantError(t, "of a deleted participant", err, store.ErrNotFound)
}

// tokensWhileMany uses tokens of one agent concurrently. Each is used at most once, and one of them is
// the current one.
func tokensWhileMany(t *testing.T, s store.Store) {
	_, agent := person(t, s, "Anna")
	current := store.HashOf(agent)
	for round := range 5 {
		next := store.HashOf(fmt.Sprint("token ", round))
		must(t, s.AddToken(t.Context(), agent, current, next))
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				if i == 0 { // a second request for a token may arrive late
					errs[i] = s.AddToken(t.Context(), agent, current, store.HashOf(fmt.Sprint("late ", round)))
					return
				}
				errs[i] = s.UseToken(t.Context(), agent, next, evening)
			})
		}
		wg.Wait()
		used := 0
		for i, err := range errs {
			switch {
			case err != nil && !errors.Is(err, store.ErrNotFound):
				t.Errorf("round %d, call %d: got error %v, want nil or ErrNotFound", round, i, err)
			case err == nil && i > 0:
				used++
			}
		}
		// A late request that came first has replaced the token before its use.
		if replaced := errs[0] == nil; used > 1 || used == 0 && !replaced || used == 1 && replaced {
			t.Errorf("round %d: got %d uses, late request %v; want one use, unless the late request has replaced the token", round, used, errs[0])
		}
		if used == 1 {
			current = next
		}
		if _, _, err := s.AgentByToken(t.Context(), current); err != nil {
			t.Errorf("round %d: the current token: got error %v, want none", round, err)
		}
	}
}

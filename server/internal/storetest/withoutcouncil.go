package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// oldSessions: sessions are deleted by their start, a few at a time.
func oldSessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	c := council(t, s, "Rat")
	for i := range 4 {
		must(t, s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: c.ID, StartsAt: evening.Add(time.Duration(i) * time.Hour)}))
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := s.DeleteCouncilSessions(ctx, evening.Add(3*time.Hour), 2); err != nil || n != want {
			t.Errorf("got %d deleted, error %v; want %d", n, err, want)
		}
	}
	if page, err := s.CouncilSessions(ctx, store.SessionQuery{From: evening, Limit: 9}); err != nil || len(page.Sessions) != 1 {
		t.Errorf("got %d sessions, error %v; want the newest", len(page.Sessions), err)
	}
}

// withoutCouncil: a person who has been in no council for long, and has not used a computer, is erased, and can
// be added again.
func withoutCouncil(t *testing.T, s store.Store) {
	ctx := t.Context()
	member, _ := person(t, s, "Mia")
	left, _ := person(t, s, "Leo Ritter")
	forgotten, computer := person(t, s, "Ada")
	active, activeComputer := person(t, s, "Uma")
	again, _ := person(t, s, "Ivo")
	recorded, _ := person(t, s, "Ria Ritter")
	note := func(at time.Time) {
		t.Helper()
		must(t, s.NotePeopleWithoutCouncil(ctx, at))
	}
	wantDeleted := func(now, before time.Time, want int) {
		t.Helper()
		if n, err := s.DeletePeopleWithoutCouncil(ctx, now, before, 10); err != nil || n != want {
			t.Errorf("got %d deleted, error %v; want %d", n, err, want)
		}
	}
	wantGone := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			_, err := s.Participant(ctx, id)
			wantError(t, "a deleted person", err, store.ErrNotFound)
		}
	}
	note(evening)
	later, late := evening.AddDate(1, 0, 0), evening.AddDate(2, 0, 0)
	wantDeleted(late, late, 0) // there is no council
	c := council(t, s, "Rat")
	for _, id := range []string{member, left, recorded} {
		must(t, s.AddCouncilMember(ctx, c.ID, id))
	}
	about := remarkText("Frau Ritter hörte nichts") // Ria
	session := uuid.NewString()
	_, _, err := s.AddDisturbanceEntry(ctx, store.DisturbanceRecord{SessionID: session, Head: `{}`, StartsAt: evening},
		entry(store.DisturbanceReported, 1, 0, recorded, recorded+"=Ria Ritter", recorded+"="+about))
	must(t, err)
	must(t, s.RemoveCouncilMember(ctx, c.ID, recorded))
	note(evening)
	// Ada's computer reports by itself. Uma speaks into hers, and Ivo sets one up.
	_, err = s.SaveReports(ctx, computer, []store.NewReport{inBackground(report.Ready, later)})
	must(t, err)
	must(t, s.TouchAgent(ctx, computer, later))
	_, err = s.SaveReports(ctx, activeComputer, []store.NewReport{newReport("", report.Ready, later)})
	must(t, err)
	code := store.HashOf("again")
	must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: again, CreatedAt: evening, ExpiresAt: later.Add(time.Hour)}))
	_, err = s.Enrol(ctx, code, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("new computer")}, later)
	must(t, err)
	wantDeleted(later, evening, 0) // none before that
	wantDeleted(later, later, 1)   // the use counts even if it is not noted yet
	wantGone(forgotten)
	note(later)
	for id, want := range map[string]time.Time{active: later.Add(time.Minute), again: later} {
		if m, err := s.PersonMarks(ctx, id); err != nil || !m.WithoutCouncilSince.Equal(want) {
			t.Errorf("got %+v, error %v; want the last use at %v", m, err, want)
		}
	}
	must(t, s.RemoveCouncilMember(ctx, c.ID, left))
	note(later.Add(time.Minute))
	must(t, s.AddCouncilMember(ctx, c.ID, left))
	must(t, s.RemoveCouncilMember(ctx, c.ID, left))
	note(later.Add(2 * time.Minute))
	wantDeleted(later.Add(2*time.Minute), later, 0) // Leo was a member between two notes
	if m, err := s.PersonMarks(ctx, left); err != nil || !m.WithoutCouncilSince.Equal(later.Add(2*time.Minute)) {
		t.Errorf("got %+v, error %v; want Leo without a council since he left", m, err)
	}
	wantDeleted(late, later.Add(3*time.Minute), 3)
	wantGone(left, active, again)
	if r, err := s.DisturbanceRecord(ctx, session); err != nil || r.Entries[0].People[1].Text != about {
		t.Errorf("got record %+v, error %v; want the remark about another person of that name", r, err)
	}
	if _, err := s.ErasedPerson(ctx, "Leo Ritter", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got error %v, want no tombstone of the name", err)
	}
	if l, err := s.Tombstones(ctx); err != nil || len(l.Hashes) == 0 {
		t.Errorf("got tombstones %v, error %v; want those of the ids", l.Hashes, err)
	}
	if erased, err := s.ErasedToken(ctx, store.HashOf(computer)); err != nil || !erased {
		t.Errorf("token of the deleted person: got erased %v, error %v; want true", erased, err)
	}
	for _, p := range []string{member, recorded} {
		if _, err := s.Participant(ctx, p); err != nil {
			t.Errorf("%s: got error %v, want none", p, err)
		}
	}
	must(t, s.RemoveCouncil(ctx, c.ID))
	if m, err := s.PersonMarks(ctx, recorded); err != nil || !m.WithoutCouncilSince.IsZero() {
		t.Errorf("got %+v, error %v; want no time if there is no council", m, err)
	}
}

// neededWithoutCouncil: an invited person stays until the code has expired, and a blocked one for ever.
func neededWithoutCouncil(t *testing.T, s store.Store) {
	ctx := t.Context()
	council(t, s, "Rat")
	invited, _ := person(t, s, "Ida")
	blocked, _ := person(t, s, "Bo")
	must(t, s.SetBlocked(ctx, blocked, true))
	must(t, s.NotePeopleWithoutCouncil(ctx, evening))
	later := evening.AddDate(1, 0, 0)
	must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: store.HashOf("code"), ParticipantID: invited, CreatedAt: later, ExpiresAt: later.Add(time.Hour)}))
	for _, step := range []struct {
		now  time.Time
		want int
	}{{later.Add(time.Minute), 0}, {later.Add(time.Hour), 1}} {
		if n, err := s.DeletePeopleWithoutCouncil(ctx, step.now, later, 10); err != nil || n != step.want {
			t.Errorf("%v: got %d deleted, error %v; want %d", step.now, n, err, step.want)
		}
	}
	if _, err := s.Participant(ctx, blocked); err != nil {
		t.Errorf("the blocked person: got error %v, want none", err)
	}
}

// setUpWithoutCouncil: the set-up of a computer counts as use after its code was deleted too.
func setUpWithoutCouncil(t *testing.T, s store.Store) {
	ctx := t.Context()
	council(t, s, "Rat")
	id, _ := person(t, s, "Ida")
	must(t, s.NotePeopleWithoutCouncil(ctx, evening))
	setUp := evening.AddDate(1, 0, 0)
	code := store.HashOf("code")
	must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: id, CreatedAt: setUp, ExpiresAt: setUp.Add(time.Hour)}))
	_, err := s.Enrol(ctx, code, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("token")}, setUp)
	must(t, err)
	later := setUp.AddDate(0, 1, 0)
	_, err = s.DeleteExpired(ctx, later)
	must(t, err)
	must(t, s.NotePeopleWithoutCouncil(ctx, later))
	if m, err := s.PersonMarks(ctx, id); err != nil || !m.WithoutCouncilSince.Equal(setUp) {
		t.Errorf("got %+v, error %v; want %v", m, err, setUp)
	}
	if n, err := s.DeletePeopleWithoutCouncil(ctx, later, setUp, 10); err != nil || n != 0 {
		t.Errorf("got %d deleted, error %v; want none", n, err)
	}
}

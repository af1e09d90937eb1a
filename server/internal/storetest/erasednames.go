package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// erasedNames: imports can ask who was erased, by the spellings of a name and by the id in the other system.
func erasedNames(t *testing.T, s store.Store) {
	ctx := t.Context()
	anna, berta := store.Participant{ID: uuid.NewString(), Name: "Dr. Änne Groß (ABC)", CreatedAt: evening}, store.Participant{ID: uuid.NewString(), Name: "Berta", CreatedAt: evening}
	both := []store.ParticipantSource{{ParticipantID: anna.ID, SourceID: "oparl:1"}, {ParticipantID: berta.ID, SourceID: "oparl:2"}}
	_, err := s.ApplyImport(ctx, store.Import{Now: evening, Participants: []store.Participant{anna, berta}, Sources: both})
	must(t, err)
	// The same again, and somebody who is gone in the meantime.
	_, err = s.ApplyImport(ctx, store.Import{Now: evening, Sources: append(both, store.ParticipantSource{ParticipantID: uuid.NewString(), SourceID: "oparl:3"})})
	must(t, err)
	if p, err := s.ParticipantOfSource(ctx, "oparl:1"); err != nil || p.ID != anna.ID {
		t.Errorf("got %+v, error %v; want Änne", p, err)
	}
	_, err = s.ParticipantOfSource(ctx, "oparl:3")
	wantError(t, "the source of nobody", err, store.ErrNotFound)
	_, err = s.ErasedPerson(ctx, anna.Name, "oparl:1")
	wantError(t, "before", err, store.ErrNotFound)

	must(t, s.DeleteParticipant(ctx, anna.ID, evening))

	want := func(name, source string, at time.Time) {
		t.Helper()
		if got, err := s.ErasedPerson(ctx, name, source); err != nil || !got.Equal(at) {
			t.Errorf("%q, %q: got %v, error %v; want %v", name, source, got, err, at)
		}
	}
	want("gross,  ÄNNE", "", evening)
	want("Aenne Gross", "oparl:9", evening)
	want("Anna Neu", "oparl:1", evening) // with another name
	_, err = s.ErasedPerson(ctx, "Berta", "oparl:2")
	wantError(t, "a participant", err, store.ErrNotFound)
	_, err = s.ParticipantOfSource(ctx, "oparl:1")
	wantError(t, "the source of an erased one", err, store.ErrNotFound)

	// Again a participant, and erased a second time.
	again := store.Participant{ID: uuid.NewString(), Name: "Änne Groß", CreatedAt: evening}
	must(t, s.AddParticipant(ctx, again))
	must(t, s.DeleteParticipant(ctx, again.ID, evening.Add(time.Hour)))
	want("Änne Groß", "", evening.Add(time.Hour))

	for _, step := range []struct{ limit, want int }{{10, 1}, {10, 0}} { // the id in the other system
		if n, err := s.DeleteErasedNames(ctx, evening.Add(time.Minute), step.limit); err != nil || n != step.want {
			t.Errorf("got %d forgotten, error %v; want %d", n, err, step.want)
		}
	}
	_, err = s.ErasedPerson(ctx, "Anna Neu", "oparl:1")
	wantError(t, "a forgotten id", err, store.ErrNotFound)
	want("Änne Groß", "", evening.Add(time.Hour))
}

// erasedAgain erases participants again after a backup was restored. A participant with a name in the list gets a
// tombstone of the name with the day in the list. A participant without gets none, and the remarks with
// their name stay.
func erasedAgain(t *testing.T, s store.Store) {
	ctx := t.Context()
	key := make([]byte, 32)
	listed, _ := person(t, s, "Anna Muster")
	unlisted, _ := person(t, s, "Peter Ritter")
	early, _ := person(t, s, "Berta Beispiel")
	witness, _ := person(t, s, "Mia")
	session := uuid.NewString()
	_, _, err := s.AddDisturbanceEntry(ctx, store.DisturbanceRecord{SessionID: session, Head: `{}`, StartsAt: evening},
		entry(store.DisturbanceReported, 1, 0, witness, witness+"=Mia", "="+remarkText("Frau Muster ging"), "="+remarkText("Frau Ritter ging")))
	must(t, err)
	tombstone := func(id string) store.Hash { return store.TombstoneOf(key, store.TombstoneParticipant, id) }
	for _, l := range []store.TombstoneList{
		{Keys: [][]byte{key}, Hashes: []store.Hash{tombstone(listed), tombstone(unlisted)},
			Names: []store.ErasedName{{Hash: store.TombstoneOf(key, store.TombstoneName, store.ErasedNameKey("Anna Muster")), ErasedAt: evening}}},
		{Keys: [][]byte{key}, Hashes: []store.Hash{tombstone(early)}, NamesUnknown: true},
	} {
		if n, err := s.AddTombstones(ctx, l, evening.Add(time.Hour)); err != nil || n != len(l.Hashes) {
			t.Errorf("got %d erased again, error %v; want %d", n, err, len(l.Hashes))
		}
	}
	for name, want := range map[string]time.Time{"Anna Muster": evening, "Peter Ritter": {}, "Berta Beispiel": evening.Add(time.Hour)} {
		got, err := s.ErasedPerson(ctx, name, "")
		if err != nil && !errors.Is(err, store.ErrNotFound) || !got.Equal(want) {
			t.Errorf("%s: got %v, error %v; want %v", name, got, err, want)
		}
	}
	r, err := s.DisturbanceRecord(ctx, session)
	must(t, err)
	if people := r.Entries[0].People; people[1].Text != "" || people[2].Text != remarkText("Frau Ritter ging") {
		t.Errorf("got %+v, want the remark about another person of the name of the one who was deleted by age", people)
	}
}

package sqlstore

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// TestOneWhoCannotBeDeleted: the others without a council are deleted nevertheless.
func TestOneWhoCannotBeDeleted(t *testing.T) {
	s := newSQLite(t)
	ctx := t.Context()
	if err := s.AddCouncil(ctx, store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: evening}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if err := s.AddParticipant(ctx, store.Participant{ID: id, Name: id, CreatedAt: evening}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.NotePeopleWithoutCouncil(ctx, evening); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.exec(ctx, `CREATE TRIGGER stays BEFORE DELETE ON participants WHEN OLD.id = '1' BEGIN SELECT RAISE(ABORT, 'stays'); END`); err != nil {
		t.Fatal(err)
	}
	later := evening.AddDate(1, 0, 0)
	if n, err := s.DeletePeopleWithoutCouncil(ctx, later, later, 10); err == nil || n != 2 {
		t.Errorf("got %d deleted, error %v; want 2 and an error", n, err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if _, err := s.Participant(ctx, id); errors.Is(err, store.ErrNotFound) != (id != "1") {
			t.Errorf("%s: got error %v, want only 1 kept", id, err)
		}
	}
}

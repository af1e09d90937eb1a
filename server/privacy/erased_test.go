package privacy

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func TestListReadsWhatItWrote(t *testing.T) {
	l := store.TombstoneList{Keys: [][]byte{make([]byte, 32)}, Hashes: []store.Hash{store.HashOf("a"), store.HashOf("b")},
		Names: []store.ErasedName{{Hash: store.HashOf("c"), ErasedAt: evening.Truncate(24 * time.Hour)}}}
	if got, err := ParseList(FormatList(l)); err != nil || !reflect.DeepEqual(got, l) {
		t.Errorf("got %+v, error %v; want %+v", got, err, l)
	}
	older := strings.Replace(string(FormatList(store.TombstoneList{Keys: l.Keys, Hashes: l.Hashes})), listHead, listHeadV1, 1)
	if got, err := ParseList([]byte(older)); err != nil || !reflect.DeepEqual(got.Hashes, l.Hashes) || !Merge(got, l).NamesUnknown {
		t.Errorf("first version: got %+v, error %v; want %+v and no names", got, err, l.Hashes)
	}
	if got, err := ParseList(nil); err != nil || len(got.Hashes) != 0 {
		t.Errorf("empty: got %+v, error %v; want no tombstones", got, err)
	}
	for _, bad := range []string{"x", listHead + "\nkey zz", listHead + "\nabcd", listHead + "\nkey 00", listHead + "\nname abcd 2026-01-01", listHead + "\nname " + strings.Repeat("ab", 32), listHead + "\n" + string(FormatList(l)[len(FormatList(l))-65:])} {
		if _, err := ParseList([]byte(bad)); !errors.Is(err, ErrList) {
			t.Errorf("%q: got error %v, want %v", bad, err, ErrList)
		}
	}
}

var evening = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

func eraser(s *sqlstore.Store, dir string) Eraser {
	return Eraser{Store: s, Dir: dir, Now: func() time.Time { return evening }}
}

func openIn(t *testing.T, dir string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.OpenSQLite(t.Context(), datadir.Database(dir), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestDatabaseFromBeforeAnErasure puts an older copy of the database in place, by hand: with the list
// beside it, the erased person vanishes again, and not a second time.
func TestDatabaseFromBeforeAnErasure(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := openIn(t, dir)
	var ids []string
	for _, name := range []string{"Anna Geheimwort", "Berta"} {
		p := store.Participant{ID: uuid.NewString(), Name: name, CreatedAt: evening}
		if err := s.AddParticipant(ctx, p); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	older := filepath.Join(dir, "older.db")
	if err := s.Backup(ctx, older); err != nil {
		t.Fatal(err)
	}
	if err := eraser(s, dir).Erase(ctx, ids[0]); err != nil {
		t.Fatal(err)
	}
	if n, err := Sync(ctx, s, dir, evening, time.Time{}); err != nil || n != 0 {
		t.Errorf("before the restoration: got %d erased again, error %v; want 0", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, datadir.Database(dir), "Geheimwort", ids[0])
	wantNowhere(t, datadir.Erased(dir), "Geheimwort", ids[0])
	if err := os.Rename(older, datadir.Database(dir)); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	for _, want := range []int{1, 0} {
		if n, err := Sync(ctx, s, dir, evening.Add(time.Hour), time.Time{}); err != nil || n != want {
			t.Errorf("got %d erased again, error %v; want %d", n, err, want)
		}
	}
	if _, err := s.Participant(ctx, ids[0]); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the erased one: got error %v, want %v", err, store.ErrNotFound)
	}
	if _, err := s.Participant(ctx, ids[1]); err != nil {
		t.Errorf("the other one: got error %v, want none", err)
	}
}

// TestNamesAreForgotten: the list beside the data keeps a name as long as the store does, and does not bring
// one back whose period has ended.
func TestNamesAreForgotten(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := openIn(t, dir)
	p := store.Participant{ID: uuid.NewString(), Name: "Anna Muster", CreatedAt: evening}
	if err := s.AddParticipant(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := eraser(s, dir).Erase(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	names := func() int {
		l, err := ReadList(dir)
		if err != nil || len(l.Hashes) != 1 {
			t.Fatalf("got %+v, error %v; want the tombstone of the id", l, err)
		}
		return len(l.Names)
	}
	if _, err := s.DeleteErasedNames(ctx, evening.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	// As after a restored backup: the list still has the name.
	if _, err := Sync(ctx, s, dir, evening, evening.Add(-48*time.Hour)); err != nil || names() != 1 {
		t.Errorf("within the period: got %d names, error %v; want 1", names(), err)
	}
	if _, err := s.ErasedPerson(ctx, "anna muster", ""); err != nil {
		t.Errorf("within the period: got error %v, want the name in the store again", err)
	}
	if _, err := s.DeleteErasedNames(ctx, evening.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := Sync(ctx, s, dir, evening, evening.Add(48*time.Hour)); err != nil || names() != 0 {
		t.Errorf("afterwards: got %d names, error %v; want 0", names(), err)
	}
	if _, err := s.ErasedPerson(ctx, "anna muster", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("afterwards: got error %v, want %v", err, store.ErrNotFound)
	}
}

// TestListThatCannotBeWritten: the person is erased nevertheless, and the error says so.
func TestListThatCannotBeWritten(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := openIn(t, dir)
	p := store.Participant{ID: uuid.NewString(), Name: "Anna"}
	if err := s.AddParticipant(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(datadir.Erased(dir), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, listed := errors.AsType[*ListError](eraser(s, dir).Erase(context.WithoutCancel(ctx), p.ID))
	if _, err := s.Participant(ctx, p.ID); !listed || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got a ListError: %v, participant: error %v; want true and %v", listed, err, store.ErrNotFound)
	}
}

// wantNowhere searches a file, and those beside it with its name, for texts.
func wantNowhere(t *testing.T, file string, texts ...string) {
	t.Helper()
	files, err := filepath.Glob(file + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, error %v; want some", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if bytes.Contains(bytes.ToLower(b), bytes.ToLower([]byte(text))) {
				t.Errorf("%s still contains %q", filepath.Base(f), text)
			}
		}
	}
}

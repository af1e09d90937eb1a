package privacy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCopiesOfTheDatabase: a copy is deleted with the files of SQLite beside it, which are copies themselves if
// they are alone.
func TestCopiesOfTheDatabase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b")
	if copies, err := Copies(dir); err != nil || len(copies) != 0 {
		t.Errorf("no folder: got %v, error %v; want none", copies, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const older, newer, alone = "collector.db.version-5-20260101T000000.000Z", "collector.db.before-20260201T000000.000Z", "collector.db.before-20250101T000000.000Z-wal"
	for _, name := range []string{"collector.db", "collector.db-wal", "erased.txt", newer, older, older + "-wal", older + "-shm", alone} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (names []string) {
		copies, err := Copies(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range copies {
			names = append(names, c.Name)
		}
		return names
	}
	if got, want := names(), []string{alone, older, newer}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := DeleteCopy(dir, "collector.db"); !errors.Is(err, ErrNoCopy) {
		t.Errorf("the database: got error %v, want %v", err, ErrNoCopy)
	}
	for _, name := range []string{older, alone} {
		if err := DeleteCopy(dir, name); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "a?b", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if want := []string{"collector.db", "collector.db-wal", newer, "erased.txt"}; !slices.Equal(files, want) {
		t.Errorf("got files %q, want %q", files, want)
	}
	if _, err := Copies(filepath.Join(dir, "erased.txt")); err == nil {
		t.Error("a folder that cannot be read: got no error")
	}
}

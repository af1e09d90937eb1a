package sqlstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/internal/storetest"
	"github.com/tonprobe/tonprobe/server/store"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// empty is a file with the newest tables.
var empty = storetest.Template{Create: func(path string) error {
	s, err := OpenSQLite(context.Background(), path, Options{})
	if err != nil {
		return err
	}
	return s.Close()
}}

// newSQLite opens an empty store, without migrating it.
func newSQLite(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "100% odd?name#.db")
	empty.Copy(t, path)
	return open(t, path)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return newSQLite(t) })
}

func TestDurabilityPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "c.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "15000"} {
		var got string
		if err := s.write.pool.QueryRow(`PRAGMA ` + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s, want %s (error %v)", pragma, got, want, err)
		}
	}
	if _, err := s.read.pool.Exec(`DELETE FROM staff`); err == nil {
		t.Error("a read connection can write")
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	open(t, path)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", suffix, info.Mode().Perm())
		}
	}
}

func TestTwoProcessesMigrateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			s, err := OpenSQLite(context.Background(), path, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if v, err := s.Version(context.Background()); err != nil || v != newestVersion {
				t.Errorf("got version %d, error %v; want %d", v, err, newestVersion)
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

func TestSecondProcessWritesBesideTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	service, commandLine := open(t, path), open(t, path)
	var wg sync.WaitGroup
	for i, s := range []*Store{service, commandLine} {
		wg.Go(func() {
			for n := range 50 {
				p := store.Participant{ID: time.Unix(int64(n), int64(i)).Format(time.RFC3339Nano), Name: "A"}
				if err := s.AddParticipant(context.Background(), p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	counts, err := service.CountStates(t.Context(), time.Time{})
	if err != nil || counts.Never != 100 {
		t.Errorf("got %v, error %v; want 100 participants", counts, err)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	s := open(t, path)
	if _, err := s.write.pool.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), path, Options{}); !errors.Is(err, store.ErrNewerStore) {
		t.Errorf("got error %v, want ErrNewerStore", err)
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	content := []byte("these are somebody's notes and no database at all")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), path, Options{}); err == nil {
		t.Fatal("a foreign file was opened")
	}
	if got, _ := os.ReadFile(path); string(got) != string(content) {
		t.Error("the file was changed")
	}
}

func TestBackupOpens(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "c.db"))
	if err := s.AddParticipant(t.Context(), store.Participant{ID: "1", Name: "A"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	if p, err := open(t, filepath.Join(dir, "copy.db")).Participant(t.Context(), "1"); err != nil || p.Name != "A" {
		t.Errorf("in the copy: got %+v, error %v; want Name %q", p, err, "A")
	}
}

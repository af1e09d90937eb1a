package server

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// TestCopiesOfAnOlderDatabaseAreNamed: a database from before an erasure is in place, and the copy that was
// made of it before a migration. The person is erased again, and the log names the copy, once.
func TestCopiesOfAnOlderDatabaseAreNamed(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	open := func(file string) *sqlstore.Store {
		s, err := sqlstore.OpenSQLite(ctx, file, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	newer, older := open(dir+"/newer.db"), datadir.Database(dir)
	p := store.Participant{ID: uuid.NewString(), Name: "Anna Muster", CreatedAt: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)}
	if err := newer.AddParticipant(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := newer.Backup(ctx, older); err != nil {
		t.Fatal(err)
	}
	config := Config{DataDir: dir, Now: func() time.Time { return p.CreatedAt.Add(time.Hour) }, Log: slog.New(slog.DiscardHandler)}
	if err := (&Server{store: newer, config: config}).erase(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	aside := older + ".version-5-20260301T190000.000Z"
	if err := os.WriteFile(aside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := &Server{store: open(older), config: config}
	for range 2 {
		s.syncErased(ctx)
	}
	if n := strings.Count(log.String(), "file="+filepath.Base(aside)); n != 1 {
		t.Errorf("got the copy %d times in the log, want once:\n%s", n, log.String())
	}
	if _, err := s.store.Participant(ctx, p.ID); err == nil {
		t.Error("the erased person is in the older database")
	}
}

// Package sqlitetest provides stores in SQLite files for tests.
package sqlitetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/tonprobe/tonprobe/server/internal/storetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// empty is a file with the newest tables. Migrations are tested in sqlstore: to repeat
// them in each test of other packages would take most of the time of these tests.
var empty = storetest.Template{Create: func(path string) error {
	s, err := sqlstore.OpenSQLite(context.Background(), path, sqlstore.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}}

// Open returns an empty store, which is closed at the end of the test.
func Open(t testing.TB) *sqlstore.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.db")
	empty.Copy(t, path)
	s, err := sqlstore.OpenSQLite(t.Context(), path, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

package sqlstore

import (
	"testing"

	"github.com/tonprobe/tonprobe/server/internal/storetest"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

func openPostgres(t *testing.T, address string) *Store {
	t.Helper()
	s, err := OpenPostgres(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// migrated returns the address of an empty database with the newest tables, for pgtest.Copy.
func migrated(t *testing.T) string {
	t.Helper()
	address := pgtest.Database(t)
	if err := openPostgres(t, address).Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func TestStoreOnPostgres(t *testing.T) {
	template := migrated(t)
	storetest.Run(t, func(t *testing.T) store.Store { return openPostgres(t, pgtest.Copy(t, template)) })
}

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

func TestStoreOnPostgres(t *testing.T) {
	pgtest.Server(t)
	storetest.Run(t, func(t *testing.T) store.Store { return openPostgres(t, pgtest.Database(t)) })
}

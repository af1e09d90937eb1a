package sqlstore

import (
	"path/filepath"
	"testing"
)

// TestEachErasureOverwrites: SQLite overwrites what it deletes in each erasure of a process, not only in
// the first one.
func TestEachErasureOverwrites(t *testing.T) {
	ctx, s := t.Context(), open(t, filepath.Join(t.TempDir(), "c.db"))
	for n := range 3 {
		person, _ := enrolled(t, s)
		on := 0
		err := s.write.inTx(ctx, func(tx runner) error {
			if err := s.erase(ctx, tx, []byte("key"), person, evening, laterDay); err != nil {
				return err
			}
			return tx.(*transaction).tx.QueryRowContext(ctx, `PRAGMA secure_delete`).Scan(&on)
		})
		if err != nil || on != 1 {
			t.Errorf("erasure %d: got secure_delete %d, error %v; want 1", n+1, on, err)
		}
		s.scrub(ctx)
	}
}

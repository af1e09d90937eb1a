package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// RetentionRuns implements store.Retention.
func (s *Store) RetentionRuns(ctx context.Context) ([]store.RetentionRun, error) {
	list, err := collect(ctx, s.read, func(row scanner) (r store.RetentionRun, err error) {
		var ran, deleted, begins int64
		err = row.Scan(&r.Class, &ran, &deleted, &r.Deleted, &begins)
		r.RanAt, r.DeletedAt, r.BeginsAt = fromMillis(ran), fromMillis(deleted), fromMillis(begins)
		return r, err
	}, `SELECT data_class, ran_at, deleted_at, deleted, begins_at FROM retention_runs WHERE org_id = ? ORDER BY data_class`, s.org)
	if err != nil {
		return nil, fmt.Errorf("list deletions of old data: %w", err)
	}
	return list, nil
}

// AddRetentionRun implements store.Retention.
func (s *Store) AddRetentionRun(ctx context.Context, class store.DataClass, at time.Time, deleted int) error {
	deletedAt, update := int64(0), `ran_at = excluded.ran_at`
	if deleted > 0 {
		deletedAt, update = millis(at), update+`, deleted_at = excluded.deleted_at, deleted = excluded.deleted`
	}
	_, err := s.write.exec(ctx, `INSERT INTO retention_runs (org_id, data_class, ran_at, deleted_at, deleted) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (org_id, data_class) DO UPDATE SET `+update, s.org, string(class), millis(at), deletedAt, deleted)
	if err != nil {
		return fmt.Errorf("note a deletion of old data: %w", err)
	}
	return nil
}

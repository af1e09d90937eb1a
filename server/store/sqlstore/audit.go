package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddAuditEntry implements store.Audit.
func (s *Store) AddAuditEntry(ctx context.Context, e store.AuditEntry) error {
	if e.ParticipantID == "" {
		return s.insertAuditEntry(ctx, s.write, e)
	}
	return s.write.inTx(ctx, func(tx runner) error {
		// An erasure waits for this entry, or is complete.
		var found int
		err := tx.row(ctx, `SELECT 1 FROM participants p WHERE p.id = ? AND p.org_id = ?`+s.write.shareParticipants, e.ParticipantID, s.org).Scan(&found)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("add to the audit log: %w", err)
		}
		stored := e
		if err != nil {
			tombstone, erased, err := s.tombstone(ctx, tx, store.TombstoneParticipant, e.ParticipantID)
			if err != nil {
				return err
			}
			if erased {
				stored.ParticipantID, stored.ReportID = store.Pseudonym(tombstone), ""
			}
		}
		return s.insertAuditEntry(ctx, tx, stored)
	})
}

func (s *Store) insertAuditEntry(ctx context.Context, r runner, e store.AuditEntry) error {
	_, err := r.exec(ctx, `INSERT INTO audit_log (id, org_id, at, staff_name, role, kind, participant_id, report_id, subject, network)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, s.org, millis(e.At), e.StaffName, string(e.Role), string(e.Kind), e.ParticipantID, e.ReportID, e.Subject, e.Network)
	if err != nil {
		return fmt.Errorf("add to the audit log: %w", err)
	}
	return nil
}

const auditList = "audit"

// AuditEntries implements store.Audit. Each index ends in the order of the list.
func (s *Store) AuditEntries(ctx context.Context, q store.AuditQuery) (store.AuditPage, error) {
	statement := `SELECT id, at, staff_name, role, kind, participant_id, report_id, subject, network FROM audit_log WHERE org_id = ?`
	args := []any{s.org}
	where := func(condition string, values ...any) {
		statement += ` AND ` + condition
		args = append(args, values...)
	}
	if q.StaffName != "" {
		where(`staff_name = ?`, q.StaffName)
	}
	if q.ParticipantID != "" {
		where(`participant_id = ?`, q.ParticipantID)
	}
	if q.Kind != "" {
		where(`kind = ?`, string(q.Kind))
	}
	if !q.From.IsZero() {
		where(`at >= ?`, millis(q.From))
	}
	switch {
	case q.After == "" && !q.To.IsZero():
		where(`at < ?`, millis(q.To))
	case q.After != "": // a later page begins before q.To
		c, err := parseCursor(q.After, auditList)
		if err != nil {
			return store.AuditPage{}, err
		}
		where(`(at, id) < (?, ?)`, c.At, c.ID)
	}
	limit := pageSize(q.Limit)
	list, err := collect(ctx, s.read, scanAuditEntry, statement+` ORDER BY at DESC, id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return store.AuditPage{}, fmt.Errorf("read the audit log: %w", err)
	}
	page := store.AuditPage{Entries: list}
	if len(list) > limit {
		page.Entries = list[:limit]
		last := page.Entries[limit-1]
		page.Next = cursor{List: auditList, At: millis(last.At), ID: last.ID}.String()
	}
	return page, nil
}

func scanAuditEntry(row scanner) (store.AuditEntry, error) {
	var e store.AuditEntry
	var at int64
	err := row.Scan(&e.ID, &at, &e.StaffName, &e.Role, &e.Kind, &e.ParticipantID, &e.ReportID, &e.Subject, &e.Network)
	e.At = fromMillis(at)
	return e, err
}

// DeleteAuditEntries implements store.Audit.
func (s *Store) DeleteAuditEntries(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.write.exec(ctx, `DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE org_id = ? AND at < ? ORDER BY at LIMIT ?)`,
		s.org, millis(before), limit)
	if err != nil {
		return 0, fmt.Errorf("delete from the audit log: %w", err)
	}
	return int(n), nil
}

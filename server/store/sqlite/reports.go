package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// SaveReports implements store.Reports.
func (s *Store) SaveReports(ctx context.Context, agentID string, reports []store.NewReport) ([]store.SaveResult, error) {
	documents := make([][]byte, len(reports)) // packed before the write lock is taken
	for i, r := range reports {
		documents[i] = s.pack.EncodeAll(r.Document, nil)
	}
	results := make([]store.SaveResult, len(reports))
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var participantID string
		err := tx.QueryRowContext(ctx, `SELECT participant_id FROM agents WHERE id = ?`, agentID).Scan(&participantID)
		if err != nil {
			return fmt.Errorf("agent %s: %w", agentID, notFound(err))
		}
		var seen time.Time
		for i, r := range reports {
			results[i], err = saveReport(ctx, tx, agentID, participantID, r, documents[i])
			if err != nil {
				return err
			}
			if r.ReceivedAt.After(seen) {
				seen = r.ReceivedAt
			}
		}
		return touch(ctx, tx, agentID, seen)
	})
	if err != nil {
		return nil, fmt.Errorf("save reports: %w", err)
	}
	return results, nil
}

func saveReport(ctx context.Context, tx *sql.Tx, agentID, participantID string, n store.NewReport, document []byte) (store.SaveResult, error) {
	r := n.Report
	result := store.SaveResult{ID: r.ID, Status: store.Stored}
	primary, _ := r.Primary()
	done, err := tx.ExecContext(ctx, `
		INSERT INTO reports (id, agent_id, participant_id, case_code, trigger_kind, started_at, checked_at,
			received_at, verdict, primary_code, primary_severity, primary_area, document)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		r.ID, agentID, participantID, r.Case, string(r.Trigger), millis(r.StartedAt), millis(n.CheckedAt),
		millis(n.ReceivedAt), string(r.Verdict), primary.Code, string(primary.Severity), string(primary.Area), document)
	if err != nil {
		return result, fmt.Errorf("report %s: %w", r.ID, err)
	}
	if added, err := done.RowsAffected(); err != nil {
		return result, fmt.Errorf("report %s: %w", r.ID, err)
	} else if added == 0 {
		result.Status, err = statusOfKnown(ctx, tx, r.ID, agentID)
		return result, err
	}
	return result, updateLatest(ctx, tx, participantID, n)
}

func statusOfKnown(ctx context.Context, tx *sql.Tx, id, agentID string) (store.SaveStatus, error) {
	var owner string
	if err := tx.QueryRowContext(ctx, `SELECT agent_id FROM reports WHERE id = ?`, id).Scan(&owner); err != nil {
		return "", fmt.Errorf("report %s: %w", id, err)
	}
	if owner != agentID {
		return store.Foreign, nil
	}
	return store.Duplicate, nil
}

// rank puts what needs help first. Unknown comes before ready: nobody has seen
// that person's microphone work.
func rank(v report.Verdict) int {
	switch v {
	case report.NotReady:
		return 0
	case report.Limited:
		return 1
	case report.Ready:
		return 3
	}
	return 2
}

// Report implements store.Reports.
func (s *Store) Report(ctx context.Context, id string) (store.StoredReport, error) {
	var n nullSummary
	var packed []byte
	err := s.read.QueryRowContext(ctx, `SELECT`+summaryColumns+`, r.document FROM reports r WHERE r.id = ?`, id).
		Scan(append(n.into(), &packed)...)
	if err != nil {
		return store.StoredReport{}, fmt.Errorf("report: %w", notFound(err))
	}
	document, err := s.open.DecodeAll(packed, nil)
	if err != nil {
		return store.StoredReport{}, fmt.Errorf("unpack report %s: %w", id, err)
	}
	return store.StoredReport{ReportSummary: *n.summary(), Document: document}, nil
}

// ParticipantReports implements store.Reports.
func (s *Store) ParticipantReports(ctx context.Context, q store.ReportQuery) (store.ReportPage, error) {
	statement := `SELECT` + summaryColumns + ` FROM reports r WHERE r.participant_id = ?`
	args := []any{q.ParticipantID}
	if q.After != "" {
		c, err := parseCursor(q.After, "reports", 1)
		if err != nil {
			return store.ReportPage{}, err
		}
		statement += ` AND (r.checked_at, r.id) < (?, ?)`
		args = append(args, c.Nums[0], c.ID)
	}
	limit := pageSize(q.Limit)
	list, err := s.summaries(ctx, statement+` ORDER BY r.checked_at DESC, r.id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return store.ReportPage{}, fmt.Errorf("list reports: %w", err)
	}
	page := store.ReportPage{Reports: list}
	if len(list) > limit {
		page.Reports = list[:limit]
		last := list[limit-1]
		page.Next = cursor{List: "reports", Nums: []int64{millis(last.CheckedAt)}, ID: last.ID}.String()
	}
	return page, nil
}

// CountReports implements store.Reports.
func (s *Store) CountReports(ctx context.Context, participantID string) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM reports WHERE participant_id = ?`, participantID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return n, nil
}

// DeleteReports implements store.Reports.
func (s *Store) DeleteReports(ctx context.Context, before time.Time, limit int) (int, error) {
	r, err := s.write.ExecContext(ctx, `
		DELETE FROM reports WHERE id IN (
			SELECT r.id FROM reports r WHERE r.received_at < ?
			AND NOT EXISTS (SELECT 1 FROM latest l WHERE l.participant_id = r.participant_id AND (l.report_id = r.id OR l.full_report_id = r.id))
			ORDER BY r.received_at LIMIT ?)`, millis(before), limit)
	if err != nil {
		return 0, fmt.Errorf("delete old reports: %w", orUnavailable(err))
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// CaseReports implements store.Reports.
func (s *Store) CaseReports(ctx context.Context, caseCode string, limit int) ([]store.ReportSummary, error) {
	list, err := s.summaries(ctx, `SELECT`+summaryColumns+
		` FROM reports r WHERE r.case_code = ? ORDER BY r.checked_at DESC, r.id DESC LIMIT ?`, caseCode, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("find case: %w", err)
	}
	return list, nil
}

func (s *Store) summaries(ctx context.Context, statement string, args ...any) ([]store.ReportSummary, error) {
	rows, err := s.read.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []store.ReportSummary
	for rows.Next() {
		var n nullSummary
		if err := rows.Scan(n.into()...); err != nil {
			return nil, err
		}
		list = append(list, *n.summary())
	}
	return list, rows.Err()
}

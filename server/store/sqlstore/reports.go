package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// Report implements store.Reports.
func (s *Store) Report(ctx context.Context, id string) (store.StoredReport, error) {
	found, err := s.openReport(s.read.row(ctx, `SELECT`+summaryColumns+`, r.document FROM reports r WHERE r.id = ? AND r.org_id = ?`, id, s.org))
	if err != nil {
		return store.StoredReport{}, fmt.Errorf("report %s: %w", id, err)
	}
	return found, nil
}

// openReport reads a row with the summary and the compressed document. It returns the summary also
// if the document cannot be unpacked.
func (s *Store) openReport(row scanner) (store.StoredReport, error) {
	var n nullSummary
	var packed []byte
	if err := row.Scan(append(n.into(), &packed)...); err != nil {
		return store.StoredReport{}, err
	}
	document, err := s.open.DecodeAll(packed, nil)
	if err != nil {
		return store.StoredReport{ReportSummary: *n.summary()}, fmt.Errorf("unpack: %w", err)
	}
	return store.StoredReport{ReportSummary: *n.summary(), Document: document}, nil
}

// ReceivedReports implements store.Reports. The documents are not kept: together they can be
// larger than the memory.
func (s *Store) ReceivedReports(ctx context.Context, since time.Time, limit int, each func(store.StoredReport)) error {
	_, err := collect(ctx, s.read, s.eachReport(each), `SELECT`+summaryColumns+`, r.document
		FROM reports r WHERE r.org_id = ? AND r.received_at >= ? ORDER BY r.received_at DESC LIMIT ?`, s.org, millis(since), limit)
	if err != nil {
		return fmt.Errorf("list received reports: %w", err)
	}
	return nil
}

// eachReport scans a row with the summary and the document, and hands it on.
func (s *Store) eachReport(each func(store.StoredReport)) func(scanner) (struct{}, error) {
	return func(row scanner) (struct{}, error) {
		r, err := s.openReport(row)
		if err != nil && r.ID == "" {
			return struct{}{}, err
		}
		each(r)
		return struct{}{}, nil
	}
}

// ReportsBetween implements store.Reports.
func (s *Store) ReportsBetween(ctx context.Context, participantID string, from, to time.Time, limit int, each func(store.StoredReport)) error {
	return s.reportsBetween(ctx, participantID, from, to, `r.checked_at DESC, r.id DESC`, limit, each)
}

// FirstReportsBetween implements store.Reports.
func (s *Store) FirstReportsBetween(ctx context.Context, participantID string, from, to time.Time, limit int, each func(store.StoredReport)) error {
	return s.reportsBetween(ctx, participantID, from, to, `r.checked_at, r.id`, limit, each)
}

func (s *Store) reportsBetween(ctx context.Context, participantID string, from, to time.Time, order string, limit int, each func(store.StoredReport)) error {
	_, err := collect(ctx, s.read, s.eachReport(each), `SELECT`+summaryColumns+`, r.document
		FROM reports r WHERE r.participant_id = ? AND r.org_id = ? AND r.checked_at >= ? AND r.checked_at < ?
		ORDER BY `+order+` LIMIT ?`, participantID, s.org, millis(from), millis(to), limit)
	if err != nil {
		return fmt.Errorf("list reports between: %w", err)
	}
	return nil
}

// LastGoodReport implements store.Reports.
func (s *Store) LastGoodReport(ctx context.Context, participantID string, before time.Time) (store.StoredReport, error) {
	verdict, headline := store.GoodReport()
	found, err := s.openReport(s.read.row(ctx, `SELECT`+summaryColumns+`, r.document
		FROM reports r WHERE r.participant_id = ? AND r.org_id = ? AND r.checked_at >= ? AND r.checked_at < ? AND r.verdict = ? AND r.headline = ?
		ORDER BY r.checked_at DESC, r.id DESC LIMIT 1`, participantID, s.org, millis(before.Add(-store.GoodFor)), millis(before), string(verdict), headline))
	if err != nil {
		return store.StoredReport{}, fmt.Errorf("last good report: %w", err)
	}
	return found, nil
}

// ParticipantReports implements store.Reports.
func (s *Store) ParticipantReports(ctx context.Context, q store.ReportQuery) (store.ReportPage, error) {
	statement := `SELECT` + summaryColumns + ` FROM reports r WHERE r.participant_id = ? AND r.org_id = ?`
	args := []any{q.ParticipantID, s.org}
	if q.After != "" {
		c, err := parseCursor(q.After, "reports")
		if err != nil {
			return store.ReportPage{}, err
		}
		statement += ` AND (r.checked_at, r.id) < (?, ?)`
		args = append(args, c.At, c.ID)
	}
	limit := pageSize(q.Limit)
	list, err := collect(ctx, s.read, scanSummary, statement+` ORDER BY r.checked_at DESC, r.id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return store.ReportPage{}, fmt.Errorf("list reports: %w", err)
	}
	page := store.ReportPage{Reports: list}
	if len(list) > limit {
		page.Reports = list[:limit]
		last := list[limit-1]
		page.Next = cursor{List: "reports", At: millis(last.CheckedAt), ID: last.ID}.String()
	}
	return page, nil
}

// CountReports implements store.Reports.
func (s *Store) CountReports(ctx context.Context, participantID string) (int, error) {
	var n int
	err := s.read.row(ctx, `SELECT count(*) FROM reports WHERE participant_id = ? AND org_id = ?`, participantID, s.org).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return n, nil
}

// DeleteReports implements store.Reports.
func (s *Store) DeleteReports(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		ids, err := collect(ctx, tx, func(row scanner) (id string, err error) { return id, row.Scan(&id) }, `
			SELECT r.id FROM reports r WHERE r.org_id = ? AND r.received_at < ?
			AND NOT EXISTS (SELECT 1 FROM latest l WHERE l.participant_id = r.participant_id AND (l.report_id = r.id OR l.full_report_id = r.id))
			ORDER BY r.received_at LIMIT ?`, s.org, millis(before), limit)
		if err != nil {
			return fmt.Errorf("look for old reports: %w", err)
		}
		deleted = 0 // also when repeated
		for chunk := range padded(ids) {
			if err := forgetCases(ctx, tx, `report_id IN (`+marks(len(chunk))+`)`, chunk...); err != nil {
				return err
			}
			n, err := tx.exec(ctx, `DELETE FROM reports WHERE id IN (`+marks(len(chunk))+`)`, chunk...)
			if err != nil {
				return fmt.Errorf("delete old reports: %w", err)
			}
			deleted += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

func scanSummary(row scanner) (store.ReportSummary, error) {
	var n nullSummary
	if err := row.Scan(n.into()...); err != nil {
		return store.ReportSummary{}, err
	}
	return *n.summary(), nil
}

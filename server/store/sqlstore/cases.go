package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// caseColumns are the columns of a report with its case, if it has a row: of r and c.
const caseColumns = ` r.id, r.participant_id, r.case_code, r.primary_code, c.id, c.state, c.staff_name, c.since, c.true_code `

// scanCase returns the case and the id of its row; "" if it has none.
func scanCase(row scanner) (c store.Case, id string, err error) {
	var rowID, state, by, cause sql.NullString
	var since sql.NullInt64
	err = row.Scan(&c.ReportID, &c.ParticipantID, &c.Code, &c.Named, &rowID, &state, &by, &since, &cause)
	c.State, c.By, c.Since, c.Cause = store.CaseOpen, by.String, fromMillis(since.Int64), cause.String
	if state.Valid {
		c.State = store.CaseState(state.String)
	}
	return c, rowID.String, err
}

func (s *Store) oneCase(ctx context.Context, r runner, reportID string) (c store.Case, id string, err error) {
	c, id, err = scanCase(r.row(ctx, `SELECT`+caseColumns+`FROM reports r LEFT JOIN cases c ON c.report_id = r.id WHERE r.id = ? AND r.org_id = ?`, reportID, s.org))
	if err != nil {
		return c, "", fmt.Errorf("case of report: %w", err)
	}
	if id == "" {
		return c, "", nil
	}
	scan := func(row scanner) (e store.CaseEntry, err error) {
		var at int64
		err = row.Scan(&at, &e.By, &e.Kind, &e.Text, &e.Cause)
		e.At = fromMillis(at)
		return e, err
	}
	c.Entries, err = collect(ctx, r, scan, `SELECT at, staff_name, kind, text, cause FROM case_entries WHERE case_id = ? ORDER BY number`, id)
	if err != nil {
		return c, "", fmt.Errorf("entries of case: %w", err)
	}
	return c, id, nil
}

// Case implements store.Cases.
func (s *Store) Case(ctx context.Context, reportID string) (store.Case, error) {
	c, _, err := s.oneCase(ctx, s.read, reportID)
	return c, err
}

// AddCaseEntry implements store.Cases.
func (s *Store) AddCaseEntry(ctx context.Context, reportID string, e store.CaseEntry) (next store.Case, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		now, id, err := s.lockCase(ctx, tx, reportID)
		if err != nil {
			return err
		}
		var changed bool
		if next, changed, err = now.With(e); err != nil || !changed {
			return err
		}
		closed := int64(0)
		if next.State == store.CaseClosed {
			closed = millis(next.Since)
		}
		_, err = tx.exec(ctx, `UPDATE cases SET state = ?, staff_name = ?, since = ?, true_code = ?, closed_at = ? WHERE id = ?`,
			string(next.State), next.By, millis(next.Since), next.Cause, closed, id)
		if err != nil {
			return fmt.Errorf("store the case: %w", err)
		}
		added := next.Entries[len(next.Entries)-1]
		_, err = tx.exec(ctx, `INSERT INTO case_entries (case_id, number, at, staff_name, kind, text, cause) VALUES (`+marks(7)+`)`,
			id, len(next.Entries), millis(added.At), added.By, string(added.Kind), added.Text, added.Cause)
		if err != nil {
			return fmt.Errorf("store the entry of a case: %w", err)
		}
		return nil
	})
	if err != nil {
		return store.Case{}, err
	}
	return next, nil
}

// lockCase returns a case whose row is locked. The row is created if there is none.
func (s *Store) lockCase(ctx context.Context, tx runner, reportID string) (c store.Case, id string, err error) {
	// An erasure waits for this entry, or is complete. It locks the participant first too.
	var found int
	err = tx.row(ctx, `SELECT 1 FROM participants p WHERE p.id = (SELECT r.participant_id FROM reports r WHERE r.id = ? AND r.org_id = ?)`+s.write.shareParticipants,
		reportID, s.org).Scan(&found)
	if err != nil {
		return c, "", fmt.Errorf("find the person of the case: %w", err)
	}
	_, err = tx.exec(ctx, `
		INSERT INTO cases (id, org_id, report_id, participant_id, state, staff_name, since, named_code, true_code, closed_at)
		SELECT CAST(? AS TEXT), r.org_id, r.id, r.participant_id, 'open', '', 0, r.primary_code, '', 0 FROM reports r WHERE r.id = ? AND r.org_id = ?`+s.write.shareReports+`
		ON CONFLICT (report_id) DO NOTHING`, uuid.NewString(), reportID, s.org)
	if err != nil {
		return c, "", fmt.Errorf("begin the case: %w", err)
	}
	err = tx.row(ctx, `SELECT 1 FROM cases c WHERE c.report_id = ? AND c.org_id = ?`+s.write.lockCases, reportID, s.org).Scan(&found)
	if err != nil {
		return c, "", fmt.Errorf("lock the case: %w", err)
	}
	return s.oneCase(ctx, tx, reportID)
}

// ParticipantCases implements store.Cases.
func (s *Store) ParticipantCases(ctx context.Context, participantID string, limit int) ([]store.Case, error) {
	scan := func(row scanner) (store.Case, error) {
		c, _, err := scanCase(row)
		return c, err
	}
	list, err := collect(ctx, s.read, scan, `SELECT`+caseColumns+`FROM cases c JOIN reports r ON r.id = c.report_id
		WHERE c.participant_id = ? AND c.org_id = ? AND c.since > 0 ORDER BY c.since DESC, c.id DESC LIMIT ?`, participantID, s.org, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return list, nil
}

// CountCauses implements store.Cases.
func (s *Store) CountCauses(ctx context.Context, since time.Time) ([]store.CauseCount, error) {
	scan := func(row scanner) (c store.CauseCount, err error) { return c, row.Scan(&c.Named, &c.True, &c.Cases) }
	list, err := collect(ctx, s.read, scan, `
		SELECT named_code, true_code, count(*) FROM cases WHERE org_id = ? AND true_code <> '' AND closed_at >= ?
		GROUP BY named_code, true_code ORDER BY named_code, true_code`, s.org, millis(since))
	if err != nil {
		return nil, fmt.Errorf("count causes: %w", err)
	}
	return list, nil
}

// forgetCases removes from cases what refers to a person, before their reports are deleted. Closed
// ones remain as counts, with the day on which they were closed.
func forgetCases(ctx context.Context, tx runner, condition string, args ...any) error {
	for _, statement := range []string{
		`DELETE FROM case_entries WHERE case_id IN (SELECT id FROM cases WHERE ` + condition + `)`,
		`DELETE FROM cases WHERE ` + condition + ` AND state <> 'closed'`,
		`UPDATE cases SET report_id = NULL, participant_id = NULL, staff_name = '', since = 0, closed_at = closed_at - closed_at % 86400000 WHERE ` + condition,
	} {
		if _, err := tx.exec(ctx, statement, args...); err != nil {
			return fmt.Errorf("forget cases: %w", err)
		}
	}
	return nil
}

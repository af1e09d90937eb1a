package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// columnsOfKnown contains the columns of what is known of a participant, in the order
// of knownColumns.
const columnsOfKnown = `
	l.report_id, l.last_verdict, l.checked_at, l.received_at, l.case_code,
	l.full_report_id, l.full_verdict, l.full_checked_at, l.full_received_at`

// knownColumns scans columnsOfKnown.
type knownColumns struct {
	last, full                             sql.NullString
	lastVerdict, fullVerdict, code         string
	checked, received, fullAt, fullReceipt int64
}

func (c *knownColumns) into() []any {
	return []any{&c.last, &c.lastVerdict, &c.checked, &c.received, &c.code, &c.full, &c.fullVerdict, &c.fullAt, &c.fullReceipt}
}

func (c *knownColumns) known() (k store.Known) {
	if c.last.Valid {
		k.Last = &store.Check{ReportID: c.last.String, Case: c.code, Verdict: report.Verdict(c.lastVerdict),
			CheckedAt: fromMillis(c.checked), ReceivedAt: fromMillis(c.received)}
	}
	if c.full.Valid {
		k.Full = &store.Check{ReportID: c.full.String, Verdict: report.Verdict(c.fullVerdict),
			CheckedAt: fromMillis(c.fullAt), ReceivedAt: fromMillis(c.fullReceipt)}
	}
	return k
}

// latestTuple contains the values of a participant's row as keepStates writes them.
const latestTuple = `(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT),
	CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))`

// keepStates writes the latest states of participants whose rows are locked.
func keepStates(ctx context.Context, tx runner, org string, changed []*standing) error {
	if len(changed) == 0 {
		return nil
	}
	revision, err := nextRevision(ctx, tx, org)
	if err != nil {
		return err
	}
	for chunk := range chunks(changed) {
		var args []any
		for _, state := range chunk {
			args = append(args, latestValues(state)...)
		}
		_, err := tx.exec(ctx, `
			WITH v (participant_id, report_id, last_verdict, checked_at, received_at, case_code, full_report_id, full_verdict, full_checked_at,
				full_received_at, decides_report_id, verdict, verdict_rank, counts_at, last_seen_at) AS (VALUES `+tuples(len(chunk), latestTuple)+`)
			UPDATE latest SET report_id = v.report_id, last_verdict = v.last_verdict, checked_at = v.checked_at, received_at = v.received_at,
				case_code = v.case_code, full_report_id = v.full_report_id, full_verdict = v.full_verdict, full_checked_at = v.full_checked_at,
				full_received_at = v.full_received_at, decides_report_id = v.decides_report_id, verdict = v.verdict, verdict_rank = v.verdict_rank, counts_at = v.counts_at,
				last_seen_at = v.last_seen_at, revision = ?
			FROM v WHERE latest.participant_id = v.participant_id`, append(args, revision)...)
		if err != nil {
			return fmt.Errorf("store the latest states: %w", err)
		}
	}
	return nil
}

func latestValues(state *standing) []any {
	columns := func(c *store.Check) (id sql.NullString, n store.Check) {
		if c == nil {
			return id, n
		}
		return sql.NullString{String: c.ReportID, Valid: true}, *c
	}
	lastID, last := columns(state.known.Last)
	fullID, full := columns(state.known.Full)
	decidesID, _ := columns(state.known.Decides())
	verdict := state.known.Verdict()
	return []any{state.participantID, lastID, string(last.Verdict), millis(last.CheckedAt), millis(last.ReceivedAt), last.Case,
		fullID, string(full.Verdict), millis(full.CheckedAt), millis(full.ReceivedAt),
		decidesID, string(verdict), store.Rank(verdict), millis(state.known.CountsAt()), millis(state.seen)}
}

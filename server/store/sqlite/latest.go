package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// clockSlack is by how much two clock readings of the server may contradict the
// order in which reports came in: requests overlap, and NTP steps a clock.
const clockSlack = time.Minute

// superseded is the condition under which a report in latest gives way to a new
// one: it is older, there is none, or it came in later than the new one by the
// server's clock although it was there before. Then that clock was ahead, and the
// order of receipt counts: otherwise the state would stay for as long as the
// clock was wrong. The parameters are checked_at and received_at of the new one.
const superseded = `(latest.%[1]sreport_id IS NULL OR latest.%[1]schecked_at <= ? OR
	(SELECT received_at FROM reports WHERE id = latest.%[1]sreport_id) > ?)`

// updateLatest lays a report that has just been kept over what is known of its
// participant, unless something newer is known already.
func updateLatest(ctx context.Context, tx *sql.Tx, participantID string, n store.NewReport) error {
	at, received := millis(n.CheckedAt), millis(n.ReceivedAt.Add(clockSlack))
	if _, err := tx.ExecContext(ctx, `UPDATE latest SET report_id = ?, checked_at = ? WHERE participant_id = ? AND `+fmt.Sprintf(superseded, ""),
		n.Report.ID, at, participantID, at, received); err != nil {
		return fmt.Errorf("latest state after report %s: %w", n.Report.ID, err)
	}
	if heardMicrophone(n.Report) {
		if _, err := tx.ExecContext(ctx, `
			UPDATE latest SET full_report_id = ?, full_verdict = ?, full_checked_at = ?
			WHERE participant_id = ? AND `+fmt.Sprintf(superseded, "full_"),
			n.Report.ID, string(n.Report.Verdict), at, participantID, at, received); err != nil {
			return fmt.Errorf("last full check after report %s: %w", n.Report.ID, err)
		}
	}
	return judgeLatest(ctx, tx, participantID)
}

// heardMicrophone says whether a check could show that somebody will be heard.
func heardMicrophone(r *report.Report) bool {
	input, ok := r.Probe(report.ProbeAudioInput)
	return ok && input.Status != report.StatusSkipped
}

// judgeLatest puts the last check and the last full one together. A fault found
// in the background counts. That it found none takes back nothing that a full
// check has found, and shows nobody ready who has had none.
func judgeLatest(ctx context.Context, tx *sql.Tx, participantID string) error {
	var last, full string
	var same bool
	err := tx.QueryRowContext(ctx, `
		SELECT r.verdict, l.full_verdict, l.report_id IS l.full_report_id
		FROM latest l JOIN reports r ON r.id = l.report_id WHERE l.participant_id = ?`, participantID).Scan(&last, &full, &same)
	if err != nil {
		return fmt.Errorf("judge the latest state: %w", err)
	}
	verdict := report.Verdict(last)
	if verdict == report.Ready && !same {
		verdict = report.Unknown
		if full != "" {
			verdict = report.Verdict(full)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE latest SET verdict = ?, verdict_rank = ? WHERE participant_id = ?`,
		string(verdict), rank(verdict), participantID); err != nil {
		return fmt.Errorf("judge the latest state: %w", err)
	}
	return nil
}

package sqlstore

import (
	"database/sql"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// summaryColumns are a report's columns in the order of nullSummary.
const summaryColumns = `
	r.id, r.agent_id, r.participant_id, r.case_code, r.trigger_kind, r.verdict,
	r.primary_code, r.primary_severity, r.primary_area, r.headline,
	r.started_at, r.checked_at, r.received_at`

// nullSummary scans summaryColumns, which are all NULL if an outer join found no
// report.
type nullSummary struct {
	id, agent, participant, code, trigger, verdict sql.NullString
	primary, severity, area, headline              sql.NullString
	started, checked, received                     sql.NullInt64
}

func (n *nullSummary) into() []any {
	return []any{&n.id, &n.agent, &n.participant, &n.code, &n.trigger, &n.verdict,
		&n.primary, &n.severity, &n.area, &n.headline, &n.started, &n.checked, &n.received}
}

func (n *nullSummary) summary() *store.ReportSummary {
	if !n.id.Valid {
		return nil
	}
	return &store.ReportSummary{
		ID:            n.id.String,
		AgentID:       n.agent.String,
		ParticipantID: n.participant.String,
		Case:          n.code.String,
		Trigger:       report.Trigger(n.trigger.String),
		StartedAt:     fromMillis(n.started.Int64),
		CheckedAt:     fromMillis(n.checked.Int64),
		ReceivedAt:    fromMillis(n.received.Int64),
		Verdict:       report.Verdict(n.verdict.String),
		Headline:      n.headline.String,
		Primary: store.PrimaryCause{
			Code:     n.primary.String,
			Severity: report.Severity(n.severity.String),
			Area:     report.Area(n.area.String),
		},
	}
}

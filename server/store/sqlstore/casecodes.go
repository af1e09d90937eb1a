package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/server/store"
)

// The indexes of case codes, reports_by_case and reports_by_case_end, begin with the day on
// which a report was received. Case codes are random: in the order of codes alone, each new
// report would change pages of its own, so that a large database would be slow to write to.
// A search goes through the days on which reports were received, newest first.
const (
	dayReceived   = `r.received_at / 86400000`
	reportsOfDays = ` FROM (
		WITH RECURSIVE days (day) AS (
			SELECT (SELECT max(n.received_at) FROM reports n WHERE n.org_id = ?) / 86400000
			UNION
			SELECT (SELECT max(n.received_at) FROM reports n WHERE n.org_id = ? AND n.received_at < days.day * 86400000) / 86400000
			FROM days WHERE days.day IS NOT NULL)
		SELECT day FROM days) d
		CROSS JOIN reports r`
)

// secondHalf is the expression that reports_by_case_end indexes.
const secondHalf = `substr(r.case_code, 5)`

// halfCode is the number of letters before the dash of a case code, and behind it.
const halfCode = 3

// reportsOfCase is a query of the reports whose case codes meet a condition. Other tables
// may be joined.
func (s *Store) reportsOfCase(columns string, code match, joined ...string) (statement string, args []any) {
	statement = `SELECT ` + columns + reportsOfDays + strings.Join(joined, "") + ` WHERE r.org_id = ? AND ` + dayReceived + ` = d.day AND ` + code.condition
	return statement, append([]any{s.org, s.org, s.org}, code.args...)
}

func withCode(code string) match {
	return match{condition: "r.case_code = ?", args: []any{code}}
}

func withFirstLetters(letters string) match {
	return match{condition: "r.case_code >= ? AND r.case_code < ?", args: []any{letters, after(letters)}}
}

func withSecondHalf(half string) match {
	return match{condition: secondHalf + " = ?", args: []any{half}}
}

// cases returns the conditions for the reports whose case codes may be meant. Of a
// partial code, only the beginning and the end of a case code have an index.
func (q searched) cases() (all []match) {
	switch {
	case len(q.codes) > 0:
		for _, code := range q.codes {
			all = append(all, withCode(code))
		}
		return all
	case q.ends != "":
		half := len(q.ends) - halfCode
		begin, end := q.ends, q.ends
		if half > 0 {
			begin, end = q.ends[:halfCode]+"-"+q.ends[halfCode:], q.ends[:half]+"-"+q.ends[half:]
		}
		ends := withSecondHalf(q.ends[half:])
		return []match{withFirstLetters(begin), {condition: ends.condition + " AND r.case_code LIKE ?", args: append(ends.args, "%"+end)}}
	}
	return nil
}

// CaseReports implements store.Reports.
func (s *Store) CaseReports(ctx context.Context, caseCode string, limit int) ([]store.ReportSummary, error) {
	statement, args := s.reportsOfCase(summaryColumns, withCode(caseCode))
	list, err := collect(ctx, s.read, scanSummary, statement+` ORDER BY r.checked_at DESC, r.id DESC LIMIT ?`, append(args, pageSize(limit))...)
	if err != nil {
		return nil, fmt.Errorf("find case: %w", err)
	}
	return list, nil
}

// byCase returns the participants who have a report with the case code of a search. ok is
// false if there are too many.
func (s *Store) byCase(ctx context.Context, q searched) (ids []string, ok bool, err error) {
	scan := func(row scanner) (id string, err error) { return id, row.Scan(&id) }
	for _, c := range q.cases() {
		statement, args := s.reportsOfCase("r.participant_id", c)
		some, err := collect(ctx, s.read, scan, statement+" LIMIT ?", append(args, s.limits.candidates+1)...)
		if err != nil {
			return nil, false, fmt.Errorf("look for a case: %w", err)
		}
		if len(some) > s.limits.candidates {
			return nil, false, nil
		}
		ids = append(ids, some...)
	}
	return ids, true, nil
}

// similarCases returns the participants who have a report whose case code is the given one
// with one wrong letter.
func (s *Store) similarCases(ctx context.Context, code string) (found []candidate, err error) {
	type codeOf struct {
		candidate
		code string
	}
	scan := func(row scanner) (c codeOf, err error) { return c, row.Scan(&c.id, &c.nameKey, &c.code) }
	first, second, _ := strings.Cut(code, "-")
	for _, half := range []match{withFirstLetters(first), withSecondHalf(second)} {
		statement, args := s.reportsOfCase("p.id, p.name_key, r.case_code", half, ` JOIN participants p ON p.id = r.participant_id`)
		list, err := collect(ctx, s.read, scan, statement+` LIMIT ?`, append(args, s.limits.candidates)...)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if oneOff(code, c.code) {
				found = append(found, c.candidate)
			}
		}
	}
	return found, nil
}

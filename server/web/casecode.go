package web

import (
	"context"
	"errors"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// choice is a check that a spoken case code may mean.
type choice struct {
	Code    string
	Name    string // of the participant
	Address string // "" if there is no check with the code
	Checked *when
}

// caseAddress returns the address of the check whose code was spoken. It returns "" if the search is
// not the code of a check, matches several checks, or may be a name. The list then shows the possible
// checks (see choices).
func (s *site) caseAddress(ctx context.Context, search string) (string, error) {
	code, ok := report.SpokenCase(search)
	if !ok {
		return "", nil
	}
	hits, err := s.caseHits(ctx, code)
	if err != nil || len(hits) != 1 {
		return "", err
	}
	named, err := s.Store.NamesMatch(ctx, search) // "Peter Meyer" reads as PME-YER
	if err != nil || named {
		return "", err
	}
	return reportAddress(hits[0].ParticipantID, hits[0].ID), nil
}

// caseHits returns the checks with a code: for each participant the newest check whose code a person
// has seen (isReadOut), otherwise the newest of all. Checks whose code a person has seen are first.
func (s *site) caseHits(ctx context.Context, code string) (hits []store.ReportSummary, err error) {
	all, err := s.Store.CaseReports(ctx, code, store.DefaultPage)
	if err != nil {
		return nil, err
	}
	// Within both groups, the newest remain first.
	slices.SortStableFunc(all, func(a, b store.ReportSummary) int { return before(isReadOut(a), isReadOut(b)) })
	seen := map[string]bool{}
	for _, r := range all {
		if !seen[r.ParticipantID] {
			seen[r.ParticipantID] = true
			hits = append(hits, r)
		}
	}
	return hits, nil
}

// isReadOut reports whether a person has seen the code of a check at its end.
func isReadOut(r store.ReportSummary) bool {
	return r.Trigger != report.TriggerSchedule && r.Trigger != report.TriggerEvent
}

// maxChoices limits the choices that the list shows.
const maxChoices = 20

// choices returns the checks that match a search for a code. If there is no such check, but the search
// can be read as several codes, it returns these codes. It never selects one of several: support would
// read the wrong case out to the caller.
func (s *site) choices(ctx context.Context, v view, search string) (list []choice, err error) {
	codes := report.SpokenCases(search)
	for _, code := range codes {
		hits, err := s.caseHits(ctx, code)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			p, err := s.Store.Participant(ctx, h.ParticipantID)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted in the meantime
			}
			if err != nil {
				return nil, err
			}
			list = append(list, choice{Code: code, Name: v.name(p), Address: reportAddress(p.ID, h.ID), Checked: v.when(h.CheckedAt)})
		}
	}
	if len(list) == 0 && len(codes) > 1 { // a single code without a check: the list shows that there is none
		for _, code := range codes {
			list = append(list, choice{Code: code})
		}
	}
	return list[:min(len(list), maxChoices)], nil
}

package web

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// headlines are those of the good checks that left something out, by report.
type headlines map[string]string

// partial finds the checks that found no fault, and did not look everywhere:
// a check in the background never hears the microphone, and must not stand in
// the list as if it had. What was measured stands in the documents only.
func (s *site) partial(ctx context.Context, lang phrase.Lang, checks []store.ReportSummary) (headlines, error) {
	found := headlines{}
	looked := map[string]bool{}
	for _, c := range checks {
		if c.Verdict != report.Ready || looked[c.ID] {
			continue
		}
		looked[c.ID] = true
		stored, err := s.Store.Report(ctx, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // erased since the list was read
		}
		if err != nil {
			return nil, err
		}
		r, err := report.Decode(stored.Document)
		if err != nil {
			found[c.ID] = diagnose.VerdictText(report.Unknown, lang) // of a newer version
			continue
		}
		if said := diagnose.Headline(r, lang); said != diagnose.VerdictText(report.Ready, lang) {
			found[c.ID] = said
		}
	}
	return found, nil
}

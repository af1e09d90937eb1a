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

// headlineKey names what a report says in one language.
type headlineKey struct {
	report string
	lang   phrase.Lang
}

// maxHeadlines bounds what is remembered of reports, so that a list of 2,000
// people does not read 2,000 documents each time one of them has changed. A
// report never changes.
const maxHeadlines = 20_000

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
		key := headlineKey{c.ID, lang}
		said, known := s.lines.get(key)
		if !known {
			var err error
			if said, err = s.partialHeadline(ctx, c.ID, lang); errors.Is(err, store.ErrNotFound) {
				continue // erased since the list was read
			} else if err != nil {
				return nil, err
			}
			s.lines.put(key, said)
		}
		if said != "" {
			found[c.ID] = said
		}
	}
	return found, nil
}

// partialHeadline is what a good report says of itself where it left something
// out; "" where it did not.
func (s *site) partialHeadline(ctx context.Context, id string, lang phrase.Lang) (string, error) {
	stored, err := s.Store.Report(ctx, id)
	if err != nil {
		return "", err
	}
	r, err := s.Glossary.Probes().Decode(stored.Document)
	if err != nil {
		return diagnose.VerdictText(report.Unknown, lang), nil // of a newer version
	}
	if said := diagnose.Headline(r, lang); said != diagnose.VerdictText(report.Ready, lang) {
		return said, nil
	}
	return "", nil
}

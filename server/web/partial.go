package web

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// headlines contains the headlines of good but incomplete checks by report id.
type headlines map[string]string

// headlineKey identifies the headline of a report in one language.
type headlineKey struct {
	report string
	lang   phrase.Lang
}

// maxHeadlines limits the cached headlines. Without the cache, a list of 2,000 people would read
// 2,000 documents whenever one of them changes. Reports are immutable.
const maxHeadlines = 20_000

// partial returns the headlines of the checks that found no problem but were incomplete. A
// background check never uses the microphone and must not look like a complete one. If a report was
// stored without a headline, by an older version, it is derived from the document.
func (s *site) partial(ctx context.Context, lang phrase.Lang, checks []store.ReportSummary) (headlines, error) {
	found := headlines{}
	looked := map[string]bool{}
	for _, c := range checks {
		if c.Verdict != report.Ready || looked[c.ID] {
			continue
		}
		looked[c.ID] = true
		if said, known := diagnose.HeadlineText(c.Headline, lang); known {
			if said != diagnose.VerdictText(report.Ready, lang) {
				found[c.ID] = said
			}
			continue
		}
		key := headlineKey{c.ID, lang}
		said, known := s.lines.get(key)
		if !known {
			var err error
			if said, err = s.partialHeadline(ctx, c.ID, lang); errors.Is(err, store.ErrNotFound) {
				continue // deleted since the list was read
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

// partialHeadline returns the headline of a good but incomplete report; "" if it is complete.
func (s *site) partialHeadline(ctx context.Context, id string, lang phrase.Lang) (string, error) {
	stored, err := s.Store.Report(ctx, id)
	if err != nil {
		return "", err
	}
	r, err := s.Glossary.Probes().Decode(stored.Document)
	if err != nil {
		return diagnose.VerdictText(report.Unknown, lang), nil // written by a newer version
	}
	if said := diagnose.Headline(r, lang); said != diagnose.VerdictText(report.Ready, lang) {
		return said, nil
	}
	return "", nil
}

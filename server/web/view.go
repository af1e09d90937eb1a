package web

import (
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// view converts stored data to texts for one reader, in their language and at the present time.
type view struct {
	*phrase.Book
	lang    phrase.Lang
	now     time.Time
	zone    *time.Location
	since   time.Time // earlier checks do not count
	partial headlines
	terms   diagnose.Terms
	role    store.Role // of the reader
}

func (s *site) view(r *http.Request) view {
	lang := langOf(r)
	now := s.Now()
	return view{Book: s.books[lang], lang: lang, now: now, zone: s.Zone, since: now.Add(-s.FreshFor),
		terms: s.Glossary.In(lang), role: auth.MemberOf(r.Context()).Role}
}

// state is the state of a participant or check as an icon and a word. Colour is never the only sign.
type state struct {
	Kind string // determines icon, colour and text
	Word string
}

// Kinds of states in addition to the verdicts.
const (
	stateNone    = "none"    // never checked
	statePartial = "partial" // no problem in what was measured
	stateOld     = "old"     // the last check is too old to count
)

func (v view) state(kind string) state { return state{Kind: kind, Word: v.T("state." + kind)} }

// verdict returns the state of a verdict. A verdict of a newer version becomes unknown.
func (v view) verdict(verdict report.Verdict) state {
	switch verdict {
	case report.Ready, report.Limited, report.NotReady:
		return v.state(string(verdict))
	}
	return v.state(string(report.Unknown))
}

// result returns the state of a check.
func (v view) result(s store.ReportSummary) state {
	if _, partial := v.partial[s.ID]; partial {
		return v.state(statePartial)
	}
	return v.verdict(s.Verdict)
}

// stateOf returns the present state of a participant.
func (v view) stateOf(p store.ParticipantState) state {
	switch {
	case p.Last == nil:
		return v.state(stateNone)
	case !p.Fresh(v.since):
		return v.state(stateOld)
	}
	return v.result(*p.Last)
}

// reason is the primary cause in words.
type reason struct {
	Sentence string
	Code     string // "" if there is no cause
}

func (v view) reason(s store.ReportSummary) reason {
	c := reason{Code: clean(s.Primary.Code, maxNameRunes)}
	if sentence, ok := diagnose.Sentence(s.Primary.Code, v.lang); ok {
		c.Sentence = sentence
		return c
	}
	switch {
	case c.Code != "":
		c.Sentence = v.T("cause.foreign")
	case v.partial[s.ID] != "":
		c.Sentence = v.partial[s.ID]
	case s.Verdict == report.Ready:
		c.Sentence = v.T("cause.none")
	default:
		c.Sentence = diagnose.VerdictText(report.Unknown, v.lang)
	}
	return c
}

package web

import (
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// view turns what is stored into what one person reads, now and in their language.
type view struct {
	*phrase.Book
	lang     phrase.Lang
	now      time.Time
	zone     *time.Location
	since    time.Time // a check counts when it was made since then
	profiles profiles
	partial  headlines
	terms    diagnose.Terms
}

func (s *site) view(r *http.Request) view {
	lang := langOf(r)
	now := s.Now()
	return view{Book: s.books[lang], lang: lang, now: now, zone: s.Zone, since: now.Add(-s.FreshFor), profiles: s.profiles,
		terms: s.Glossary.In(lang)}
}

// profiles are the sets of limits, read once.
type profiles map[string]diagnose.Profile

func loadProfiles() (profiles, error) {
	all := profiles{}
	for _, name := range diagnose.ProfileNames() {
		p, err := diagnose.LoadProfile(name)
		if err != nil {
			return nil, err
		}
		all[name] = p
	}
	return all, nil
}

// by gives the limits a report was judged by; those of the default profile
// where an agent of another version used one we do not know.
func (p profiles) by(name string) diagnose.Profile {
	if known, ok := p[name]; ok {
		return known
	}
	return p[diagnose.DefaultProfile]
}

// state is how somebody stands, as an icon and a word: never a colour alone.
type state struct {
	Kind string // names icon, colour and text
	Word string
}

// Kinds of state beside the verdicts.
const (
	stateNone    = "none"    // never checked
	statePartial = "partial" // good, as far as it was measured
	stateOld     = "old"     // what is known is too old to count
)

func (v view) state(kind string) state { return state{Kind: kind, Word: v.T("state." + kind)} }

// verdict is the state a verdict gives. One that this version does not know is
// unknown, never good.
func (v view) verdict(verdict report.Verdict) state {
	switch verdict {
	case report.Ready, report.Limited, report.NotReady:
		return v.state(string(verdict))
	}
	return v.state(string(report.Unknown))
}

// result is the state after a check.
func (v view) result(s store.ReportSummary) state {
	if _, partial := v.partial[s.ID]; partial {
		return v.state(statePartial)
	}
	return v.verdict(s.Verdict)
}

// stateOf is the state of a participant now.
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
	Code     string // "" when there is no cause
}

func (v view) reason(s store.ReportSummary) reason {
	c := reason{Code: clean(s.Primary.Code, maxNameRunes)}
	if text, ok := diagnose.ExplainBy(s.Primary.Code, v.lang, v.profiles.by("")); ok {
		c.Sentence = text.Sentence
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

package web

import (
	"math"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// cause is a cause in words with its evidence.
type cause struct {
	Code       string
	Severity   state
	Sentence   string
	Action     string // "" if the cause is unknown to this version
	Hint       string
	Rule       string
	Area       string
	Endpoint   string // "" if no server was involved
	Confidence int    // percent
	Evidence   []evidence
}

// evidence is a measured value that supports a cause.
type evidence struct {
	Name, Value, Limit string
	Unknown            bool
}

func (v view) cause(c report.Cause, limits diagnose.Profile) cause {
	told := cause{Code: clean(c.Code, maxNameRunes), Severity: v.severity(c.Severity), Area: v.area(c.Area), Endpoint: v.terms.Endpoint(c.Endpoint),
		Confidence: percent(c.Confidence), Sentence: v.T("cause.foreign")}
	if text, ok := diagnose.ExplainCauseBy(c, v.lang, limits); ok {
		told.Sentence, told.Action, told.Hint, told.Rule = text.Sentence, text.Action, text.Hint, text.Rule
	}
	told.Evidence = v.evidence(c.Evidence)
	return told
}

func (v view) evidence(all []report.Evidence) (list []evidence) {
	for _, e := range all {
		list = append(list, evidence{
			Name:    clean(v.terms.Field(e.Probe, e.Field), maxValueRunes),
			Value:   clean(v.terms.Value(e.Value, e.Unit), maxValueRunes),
			Limit:   v.limit(e.Limit),
			Unknown: e.Value == nil,
		})
	}
	return list
}

func percent(share float64) int {
	if math.IsNaN(share) {
		return 0
	}
	return int(math.Round(min(max(share, 0), 1) * 100))
}

func (v view) limit(s string) string {
	s = clean(s, maxValueRunes)
	if v.lang == phrase.DE {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

func (v view) severity(s report.Severity) state {
	kind := map[report.Severity]string{report.SeverityFail: "fail", report.SeverityWarn: "warn", report.SeverityInfo: "info"}[s]
	if kind == "" {
		kind = "unknown"
	}
	return state{Kind: kind, Word: v.T("severity." + kind)}
}

func (v view) area(a report.Area) string {
	switch a {
	case report.AreaParticipant, report.AreaMunicipality, report.AreaProvider:
		return v.T("area." + string(a))
	}
	return v.T("area.unknown")
}

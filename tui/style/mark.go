package style

import (
	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Mark is a sign with its colour. The sign alone distinguishes the states.
type Mark struct {
	Sign  string
	Style lipgloss.Style
}

// String draws the sign.
func (m Mark) String() string { return m.Style.Render(m.Sign) }

// Status returns the mark of a probe's status. Unknown and skipped share one: what was not
// measured never looks good.
func (s Set) Status(status report.Status) Mark {
	switch status {
	case report.StatusOK, diagnose.StandingHeard:
		return Mark{"✓", s.Good}
	case report.StatusWarn:
		return Mark{"!", s.Caution}
	case report.StatusFail:
		return Mark{"✗", s.Bad}
	}
	return Mark{"?", s.Quiet}
}

// Verdict returns the mark of a verdict.
func (s Set) Verdict(v report.Verdict) Mark {
	switch v {
	case report.Ready:
		return Mark{"✓", s.Good}
	case report.Limited:
		return Mark{"!", s.Caution}
	case report.NotReady:
		return Mark{"✗", s.Bad}
	}
	return Mark{"?", s.Strong}
}

// Severity returns the mark of a cause.
func (s Set) Severity(v report.Severity) Mark {
	switch v {
	case report.SeverityFail:
		return Mark{"✗", s.Bad}
	case report.SeverityWarn:
		return Mark{"!", s.Caution}
	}
	return Mark{"·", s.Quiet}
}

// Pending returns the mark of an unfinished probe.
func (s Set) Pending() Mark { return Mark{"·", s.Quiet} }

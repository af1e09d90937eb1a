package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// finding is the result of a rule.
type finding struct {
	severity   report.Severity
	confidence float64
	area       report.Area // "": that of the definition
	// endpoint is the server it refers to; "" means that of its first evidence.
	endpoint report.Endpoint
	// blind means that the cause prevented a measurement. It explains an unknown
	// verdict and is never counted against the participant.
	blind bool
	// byEar means that it is proved only by what the microphone did not hear.
	byEar bool
	// evidence proves the cause; supporting makes it more likely, but is no fault of
	// its probe.
	evidence   []report.Evidence
	supporting []report.Evidence
}

// fault returns a finding of severity fail.
func fault(confidence float64, evidence ...report.Evidence) *finding {
	return &finding{severity: report.SeverityFail, confidence: confidence, evidence: evidence}
}

// disturbance returns a finding of severity warn.
func disturbance(confidence float64, evidence ...report.Evidence) *finding {
	return &finding{severity: report.SeverityWarn, confidence: confidence, evidence: evidence}
}

// worsen raises the severity to s; it never lowers it.
func (f *finding) worsen(s report.Severity) {
	if severityRank(s) > severityRank(f.severity) {
		f.severity = s
	}
}

// severityRank orders severities; 0 is none.
func severityRank(s report.Severity) int {
	switch s {
	case report.SeverityInfo:
		return 1
	case report.SeverityWarn:
		return 2
	case report.SeverityFail:
		return 3
	}
	return 0
}

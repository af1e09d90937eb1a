package diagnose

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// visited is a conference system that was checked.
type visited struct {
	probe string // its name
	*report.Conference
}

// callingProbes are the conference systems to which a call can be made.
func callingProbes() []string {
	return []string{report.ProbeBBB, report.ProbeLiveKit, report.ProbeJanus, report.ProbeWHIP}
}

func visitedOf(r *report.Report) *visited {
	for _, result := range r.Probes {
		if c, ok := result.Data.(*report.Conference); ok && c != nil {
			return &visited{result.Name, c}
		}
	}
	return nil
}

// failedAt reports whether the first step of the visit that failed is one of these.
func (f *facts) failedAt(steps ...report.ConferenceStep) bool {
	if f.conference == nil {
		return false
	}
	for _, s := range steps {
		if f.conference.FailedStep == string(s) {
			return true
		}
	}
	return false
}

func (v *visited) evidence() []report.Evidence {
	return []report.Evidence{
		observed(v.probe, "failed_step", v.FailedStep, ""),
		observed(v.probe, "failed_code", v.FailedCode, ""),
	}
}

// failedStatus returns the number that the system gave as the reason, 0 where it gave
// none.
func (v *visited) failedStatus() int {
	n, err := strconv.Atoi(v.FailedCode)
	if err != nil {
		return 0
	}
	return n
}

// conferenceFault is a conference system that answers, and whose own interface does not
// do what its client needs. Where the way to its web server does not work, nothing is
// said about the system.
func (f *facts) conferenceFault() *finding {
	if !f.failedAt(report.StepAPI, report.StepSignalling, report.StepState, report.StepSignIn, report.StepCall) && !f.systemEnded() {
		return nil
	}
	if f.web != nil && !f.webReached() || f.behindPortal() {
		return nil
	}
	c := f.conference
	switch {
	case c.failedStatus() != 0, c.FailedCode == "not_api":
		// It said so itself, or another server stands in its place.
		return fault(likely, c.evidence()...)
	case c.FailedCode == "certificate", c.FailedCode == "no_tls", c.FailedCode == "no_name", c.FailedCode == "stopped":
		return nil // network.web tells these apart
	case c.FailedCode == "token_refused":
		// The collector's key is not the system's: it opens test rooms only.
		hit := disturbance(likely, c.evidence()...)
		hit.blind = true
		return hit
	case f.lineLoses() || f.isFar():
		return nil
	}
	return disturbance(suggested, c.evidence()...)
}

// systemEnded reports whether the conference system itself ended a call, or took the sound and
// did not pass it on. That is not what a line does.
func (f *facts) systemEnded() bool {
	return f.failedAt(report.StepSoundUp, report.StepSoundDown) &&
		slices.Contains([]string{"cut_off", "no_track"}, f.conference.FailedCode)
}

// conferenceNoPath is a call to the conference system that found no path for packets.
func (f *facts) conferenceNoPath() *finding {
	if !f.failedAt(report.StepPath) {
		return nil
	}
	return disturbance(suggested, f.conference.evidence()...)
}

// conferenceMute is a call to the conference system over which nothing came. A WHIP
// endpoint returns no sound and may report too late (RFC 3550 §6.2): its silence proves
// nothing.
func (f *facts) conferenceMute() *finding {
	if f.systemEnded() || f.conference != nil && f.conference.FailedCode == "muted_by_server" {
		return nil
	}
	if !f.failedAt(report.StepKeys) && !(f.failedAt(report.StepSoundUp, report.StepSoundDown) && f.conference.probe != report.ProbeWHIP) {
		return nil
	}
	return disturbance(suggested, f.conference.evidence()...)
}

// conferenceOverTCP is a call to the conference system whose sound went over TCP.
func (f *facts) conferenceOverTCP() *finding {
	if f.conference == nil || f.conference.Media == nil || f.conference.Media.State != report.MediaComplete ||
		!strings.HasSuffix(f.conference.Media.Path, "tcp") {
		return nil
	}
	return disturbance(suggested, observed(f.conference.probe, "media.path", f.conference.Media.Path, ""))
}

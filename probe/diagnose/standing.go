package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// StandingPartial is the standing of a probe that found nothing wrong in the
// part it could measure, and could not measure the rest.
const StandingPartial report.Status = "partial"

// StandingHeard is the standing of a conference system that returned the own voice.
const StandingHeard report.Status = "heard"

// Standing is how a probe's result is told to people, on the screen and on the
// dashboard: its status, but never better than what was measured.
func Standing(p report.Result) report.Status {
	if p.Status != report.StatusOK {
		return p.Status
	}
	switch d := p.Data.(type) {
	case *report.AudioOutput:
		// A tone that nobody heard says nothing good of the loudspeaker, even
		// where the microphone is to blame.
		if d != nil && !isTrue(d.LoopHeard) && !isTrue(d.ToneHeard) {
			return report.StatusUnknown
		}
	case *report.MediaLoad:
		// A line that carries more than this computer can fill shows no queue.
		if d != nil && (d.UpKbps == nil || d.DownKbps == nil || d.LoadedRTTUpMS == nil || d.LoadedRTTDownMS == nil) {
			return StandingPartial
		}
	case *report.Conference:
		// Reached is not heard.
		switch {
		case d == nil:
		case d.Media == nil:
			return StandingPartial
		case passed(d, report.StepSoundUp) && passed(d, report.StepSoundDown):
			return StandingHeard
		}
	case *report.NATBehavior:
		// Most servers have one address only and cannot be asked for the filtering.
		if d != nil && (d.Mapping == "") != (d.Filtering == "") {
			return StandingPartial
		}
	}
	return p.Status
}

// passed reports whether a step of a conference check was good.
func passed(d *report.Conference, name report.ConferenceStep) bool {
	step, ok := d.Check(name)
	return ok && step.Status == report.StatusOK
}

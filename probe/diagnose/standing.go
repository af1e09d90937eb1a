package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// StandingPartial is the standing of a probe that found no fault in the part that it
// could measure, but could not measure the rest.
const StandingPartial report.Status = "partial"

// StandingHeard is the standing of a conference system that returned the participant's
// voice.
const StandingHeard report.Status = "heard"

// Standing returns the status of a result for display. It is never better than what was
// measured.
func Standing(p report.Result) report.Status {
	if p.Status != report.StatusOK {
		return p.Status
	}
	switch d := p.Data.(type) {
	case *report.AudioOutput:
		// A test sound that was not heard proves nothing about the loudspeaker, even if
		// the microphone is at fault.
		if d != nil && !isTrue(d.LoopHeard) && !isTrue(d.ToneHeard) {
			return report.StatusUnknown
		}
	case *report.MediaLoad:
		// On a line that is faster than this computer can send, no queue was tested.
		if d != nil && (d.UpKbps == nil || d.DownKbps == nil || d.LoadedRTTUpMS == nil || d.LoadedRTTDownMS == nil) {
			return StandingPartial
		}
	case *report.Conference:
		// Reaching a conference system does not prove that the voice is heard in it.
		switch {
		case d == nil:
		case d.Media == nil:
			return StandingPartial
		case passed(d, report.StepSoundUp) && passed(d, report.StepSoundDown):
			return StandingHeard
		}
	case *report.HostCrash:
		if d != nil {
			return standingOfCrashes(d)
		}
	case *report.NATBehavior:
		// Most servers have one address only, so that the filtering cannot be
		// determined.
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

// standingOfCrashes is a warning if there was any event that can end or disturb a
// session, and otherwise StandingPartial if a record could not be read.
func standingOfCrashes(d *report.HostCrash) report.Status {
	for _, e := range d.Events {
		switch e.Kind {
		case report.EventSleep, report.EventResume, report.EventLinkChanged, report.EventDeviceChanged, report.EventRestarted,
			report.EventServiceRestarted, report.EventClientStarted, report.EventClientEnded, report.EventClockChanged, report.EventPowerChanged:
		default:
			return report.StatusWarn
		}
	}
	for _, s := range d.Sources {
		if s.State == "not_permitted" || s.State == "failed" {
			return StandingPartial
		}
	}
	return report.StatusOK
}

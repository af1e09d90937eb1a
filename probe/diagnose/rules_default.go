package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// defaultDefinitions are the remarks that a session may use another microphone than the checked
// one, or none. They are last: everything else about the checked microphone comes first.
func defaultDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.not_default", Position: 3400, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged", "audio.rerouted", "audio.wrong_device"}),
			otherTested:  true,
			rule:         notDefault,
		},
		{
			Code: "audio.browser_blocked", Position: 3410, Severity: report.SeverityWarn, Area: report.AreaParticipant, Local: true,
			Needs: []string{report.ProbeAudioInput},
			rule:  browserBlocked,
		},
	}
}

// browserBlocked is a browser whose policies forbid pages the microphone. This program is no
// browser, so that what it heard says nothing about that. Without a conference system in a
// browser it is a remark.
func browserBlocked(f *facts) *finding {
	if f.in == nil || f.in.BlockedBrowsers == "" {
		return nil
	}
	hit := disturbance(stated, ofInput("blocked_browsers", f.in.BlockedBrowsers, ""))
	if f.conference == nil || !slices.Contains(callingProbes(), f.conference.probe) {
		hit.severity = report.SeverityInfo
	}
	return hit
}

// notDefault prevents a good microphone from clearing one that was not tested: a
// browser or Zoom uses the default unless another one is selected there.
func notDefault(f *facts) *finding {
	if _, heard := f.heardFor(); !heard || isTrue(f.in.IsMonitor) {
		return nil
	}
	if !isFalse(f.in.IsDefault) {
		return f.notForCommunications()
	}
	hit := disturbance(likely, ofInput("is_default", false, ""))
	if f.in.DefaultDevice != "" {
		hit.evidence = append(hit.evidence, ofInput("default_device", f.in.DefaultDevice, ""))
		hit.supporting = append(hit.supporting, ofInput("device", f.in.Device, ""))
	}
	switch {
	case isTrue(f.in.DefaultMuted):
		hit.confidence = stated
		hit.evidence = append(hit.evidence, ofInput("default_muted", true, ""))
	case isTrue(f.in.DefaultHeard):
		hit.severity = report.SeverityInfo
		hit.evidence = append(hit.evidence, ofInput("default_heard", true, ""))
	case isFalse(f.in.DefaultHeard):
		hit.confidence = stated
		hit.evidence = append(hit.evidence, ofInput("default_heard", false, ""))
	}
	return hit
}

// notForCommunications is a default communications device that did not hear the voice, or is
// muted. Zoom uses it unless another one is selected there; a browser does not, so with other
// systems it is a remark.
func (f *facts) notForCommunications() *finding {
	if f.in.CommsDevice == "" || !isTrue(f.in.CommsMuted) && !isFalse(f.in.CommsHeard) {
		return nil
	}
	hit := disturbance(likely, ofInput("comms_device", f.in.CommsDevice, ""))
	if isTrue(f.in.CommsMuted) {
		hit.evidence = append(hit.evidence, ofInput("comms_muted", true, ""))
	} else {
		hit.evidence = append(hit.evidence, ofInput("comms_heard", false, ""))
	}
	hit.supporting = append(hit.supporting, ofInput("device", f.in.Device, ""))
	if f.conference == nil || f.conference.probe != report.ProbeZoom {
		hit.severity = report.SeverityInfo
	}
	return hit
}

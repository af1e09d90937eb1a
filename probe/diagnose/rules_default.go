package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// defaultDefinitions is the remark that what was checked is not what a session
// takes by itself. It stands last: everything else about the microphone that was
// checked comes first.
func defaultDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.not_default", Position: 3400, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged", "audio.rerouted", "audio.wrong_device"}),
			rule:         notDefault,
		},
	}
}

// notDefault keeps a good microphone from clearing one that nobody tested: a
// browser or Zoom takes the default unless another one is chosen there.
func notDefault(f *facts) *finding {
	if _, heard := f.heardFor(); !heard || !isFalse(f.in.IsDefault) || isTrue(f.in.IsMonitor) {
		return nil
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

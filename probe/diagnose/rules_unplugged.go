package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// codeUnplugged is the only cause of the microphone in the group host: the crash
// evidence of the operating system shows the same event.
const codeUnplugged = "host.device_unplugged"

// unplugged is a microphone that was gone at the end of the check. If another one
// replaced it, the person may still be heard, so that is only a warning. A
// loudspeaker's monitor in its place does not receive the voice.
func unplugged(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.Unplugged) {
		return nil
	}
	hit := fault(stated, ofInput("unplugged", true, ""))
	if f.in.State == report.CaptureComplete && isTrue(f.in.Rerouted) && isFalse(f.in.EndIsMonitor) {
		hit.severity = report.SeverityWarn
	}
	if f.in.EndDevice != "" {
		hit.evidence = append(hit.evidence, ofInput("end_device", f.in.EndDevice, ""))
	}
	if at, ok := number(f.in.MovedAfterMS); ok {
		hit.evidence = append(hit.evidence, ofInput("moved_after_ms", at, "ms"))
	}
	return hit
}

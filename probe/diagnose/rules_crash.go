package diagnose

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// crashDefinitions are the causes in the system's own records. They are past events and
// therefore remarks: they explain why a person left a session involuntarily, and predict
// nothing about the next one.
func crashDefinitions() []Definition {
	const severity, area = report.SeverityInfo, report.AreaParticipant
	needs := []string{report.ProbeHostCrash}
	return []Definition{
		{Code: "host.bluescreen", Position: 3600, Severity: severity, Area: area, Needs: needs, rule: bluescreen},
		// Windows records both at the next start.
		{Code: "host.unexpected_shutdown", Position: 3610, Severity: severity, Area: area, Needs: needs, SuppressedBy: []string{"host.bluescreen"}, rule: unexpectedShutdown},
		{Code: "host.restarted", Position: 3615, Severity: severity, Area: area, Needs: needs, SuppressedBy: []string{"host.bluescreen", "host.unexpected_shutdown"}, rule: restarted},
		{Code: "host.out_of_memory", Position: 3620, Severity: severity, Area: area, Needs: needs, rule: outOfMemory},
		{Code: "host.client_crashed", Position: 3630, Severity: severity, Area: area, Needs: needs, rule: clientCrashed},
		{Code: "host.client_hung", Position: 3640, Severity: severity, Area: area, Needs: needs, SuppressedBy: []string{"host.client_crashed"}, rule: clientHung},
		{Code: "host.gpu_reset", Position: 3650, Severity: severity, Area: area, Needs: needs, SuppressedBy: []string{"host.bluescreen"}, rule: gpuReset},
		{Code: "host.sound_crashed", Position: 3655, Severity: severity, Area: area, Needs: needs, SuppressedBy: []string{"host.bluescreen"}, rule: soundCrashed},
		{Code: "host.sleep_resume", Position: 3660, Severity: severity, Area: area, Needs: needs, rule: resumed},
		{Code: "host.wifi_dropped", Position: 3670, Severity: severity, Area: area, Needs: needs, rule: wifiDropped},
		{Code: "host.connection_lost", Position: 3672, Severity: severity, Area: area, Needs: needs, rule: connectionLost},
		{Code: "host.device_lost", Position: 3674, Severity: severity, Area: area, Needs: needs, rule: deviceLost},
	}
}

func bluescreen(f *facts) *finding { return f.happened(report.EventBluescreen) }

func unexpectedShutdown(f *facts) *finding { return f.happened(report.EventUnexpectedShutdown) }

func outOfMemory(f *facts) *finding { return f.happened(report.EventOutOfMemory) }

func clientCrashed(f *facts) *finding { return f.happened(report.EventClientCrashed) }

func clientHung(f *facts) *finding { return f.happened(report.EventClientHung) }

func gpuReset(f *facts) *finding { return f.happened(report.EventGPUReset) }

func soundCrashed(f *facts) *finding { return f.happened(report.EventSoundCrashed) }

func resumed(f *facts) *finding { return f.happened(report.EventResume) }

func restarted(f *facts) *finding { return f.happened(report.EventRestarted) }

// deviceLost is the microphone that was unplugged before the check.
func deviceLost(f *facts) *finding { return f.happened(report.EventDeviceUnplugged) }

// connectionLost is a computer without a path to the internet for another reason than a
// lost Wi-Fi. If the router answered, it is unknown who is responsible.
func connectionLost(f *facts) *finding {
	hit := f.happened(report.EventConnectionLost)
	if hit == nil {
		return nil
	}
	if slices.ContainsFunc(hit.evidence, func(e report.Evidence) bool { return e.Value == "beyond_router" }) {
		hit.area = report.AreaUnknown
	}
	return hit
}

// wifiDropped is a lost Wi-Fi connection, except around a sleep, which causes it.
func wifiDropped(f *facts) *finding { return f.happened(report.EventWiFiDropped) }

// besideSleep is the time around a sleep, a resume or a restart within which a lost connection or
// device belongs to it.
const besideSleep = time.Minute

// happened returns the newest event of a kind shortly before the check.
func (f *facts) happened(kind report.HostEventKind) *finding {
	if f.crash == nil {
		return nil
	}
	for _, e := range slices.Backward(f.crash.Events) {
		age := f.started.Sub(e.At)
		if e.Kind != kind || age.Seconds() > f.Host.RecentS.Value {
			continue
		}
		lost := kind == report.EventWiFiDropped || kind == report.EventConnectionLost
		if (lost || kind == report.EventDeviceUnplugged) && f.slept(e.At) {
			continue
		}
		hit := &finding{severity: report.SeverityInfo, confidence: stated}
		hit.evidence = append(hit.evidence, observed(report.ProbeHostCrash, "events.at", e.At.UTC().Format(time.RFC3339), ""))
		if e.DurationS != nil {
			hit.evidence = append(hit.evidence, observed(report.ProbeHostCrash, "events.duration_s", *e.DurationS, "s"))
		}
		// A lost connection names the program that was running. The text must not say
		// that the program did not crash if it crashed at another time.
		if e.Program != "" && !(lost && f.crashed(e.Program)) {
			hit.evidence = append(hit.evidence, observed(report.ProbeHostCrash, "events.program", e.Program, ""))
		}
		if e.Detail != "" {
			hit.evidence = append(hit.evidence, observed(report.ProbeHostCrash, "events.detail", e.Detail, ""))
		}
		return hit
	}
	return nil
}

// crashed reports whether a program crashed or hung shortly before the check.
func (f *facts) crashed(program string) bool {
	return slices.ContainsFunc(f.crash.Events, func(e report.HostEvent) bool {
		bad := e.Kind == report.EventClientCrashed || e.Kind == report.EventClientHung || e.Kind == report.EventOutOfMemory
		return bad && e.Program == program && f.started.Sub(e.At).Seconds() <= f.Host.RecentS.Value
	})
}

// slept reports whether the machine went to sleep, resumed or was restarted around a time.
func (f *facts) slept(at time.Time) bool {
	return slices.ContainsFunc(f.crash.Events, func(e report.HostEvent) bool {
		return slices.Contains([]report.HostEventKind{report.EventSleep, report.EventResume, report.EventRestarted}, e.Kind) && e.At.Sub(at).Abs() <= besideSleep
	})
}

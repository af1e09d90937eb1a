package diagnose_test

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestEventsAsText: phone support needs the statement that a program did not
// crash, and how long the connection was missing. It must only be made if nothing
// contradicts it.
func TestEventsAsText(t *testing.T) {
	at := startedAt().Add(-20 * time.Minute)
	event := func(kind report.HostEventKind, program, detail string, seconds float64) report.HostEvent {
		e := report.HostEvent{At: at, Kind: kind, Program: program, Detail: detail}
		if seconds > 0 {
			e.DurationS = &seconds
		}
		return e
	}
	asleep := event(report.EventResume, "", "", 3000)
	asleep.At = at.Add(30 * time.Second)
	shutDown := event(report.EventRestarted, "", "update", 0)
	shutDown.At = at.Add(-20 * time.Second)
	for name, c := range map[string]struct {
		code   string // "" if the first event is no cause
		want   string
		events []report.HostEvent
	}{
		"Wi-Fi":                {"host.wifi_dropped", "Ihr Zoom ist nicht abgestürzt: Ihr WLAN war 40 Sekunden unterbrochen.", []report.HostEvent{event(report.EventWiFiDropped, "Zoom", "", 40)}},
		"Wi-Fi, unknown time":  {"host.wifi_dropped", "Ihr Firefox ist nicht abgestürzt: Ihr WLAN war unterbrochen.", []report.HostEvent{event(report.EventWiFiDropped, "Firefox", "", 0)}},
		"Wi-Fi, no program":    {"host.wifi_dropped", "Ihr WLAN war vor kurzem 3 Minuten unterbrochen.", []report.HostEvent{event(report.EventWiFiDropped, "", "reason_4", 190)}},
		"Wi-Fi, by the system": {"host.wifi_dropped", "Ihr WLAN war vor kurzem unterbrochen.", []report.HostEvent{event(report.EventWiFiDropped, "", "", 0)}},
		"Wi-Fi and a crash": {"host.wifi_dropped", "Ihr WLAN war vor kurzem 40 Sekunden unterbrochen.", []report.HostEvent{
			event(report.EventWiFiDropped, "Zoom", "", 40), event(report.EventClientCrashed, "Zoom", "sigsegv", 0)}},
		"Wi-Fi, asleep":      {"", "", []report.HostEvent{event(report.EventWiFiDropped, "Zoom", "", 40), asleep}},
		"cable":              {"host.connection_lost", "Ihr Teams ist nicht abgestürzt: Das Netzwerk war eine Sekunde unterbrochen.", []report.HostEvent{event(report.EventConnectionLost, "Teams", "link", 0.6)}},
		"router":             {"host.connection_lost", "Ihr Zoom ist nicht abgestürzt: Ihr Router hat 2 Minuten nicht geantwortet.", []report.HostEvent{event(report.EventConnectionLost, "Zoom", "router", 125)}},
		"router, no program": {"host.connection_lost", "Ihr Router hat vor kurzem 100 Sekunden nicht geantwortet.", []report.HostEvent{event(report.EventConnectionLost, "", "router", 100)}},
		"beyond":             {"host.connection_lost", "Ihr Zoom ist nicht abgestürzt: Der Prüf-Server war 30 Sekunden nicht zu erreichen.", []report.HostEvent{event(report.EventConnectionLost, "Zoom", "beyond_router", 30)}},
		"hung":               {"host.client_hung", "Das Programm Zoom hat vor kurzem 25 Sekunden nicht reagiert.", []report.HostEvent{event(report.EventClientHung, "Zoom", "stopped", 25)}},
		"unplugged":          {"host.device_lost", "Ihr Mikrofon war vor kurzem 12 Sekunden abgezogen.", []report.HostEvent{event(report.EventDeviceUnplugged, "", "", 12)}},
		"unplugged, asleep":  {"", "", []report.HostEvent{event(report.EventDeviceUnplugged, "", "", 12), asleep}},
		"USB":                {"host.device_lost", "Ihr Headset oder ein anderes USB-Tongerät war vor kurzem 3 Sekunden getrennt.", []report.HostEvent{event(report.EventDeviceUnplugged, "", "usb_disconnect", 3)}},
		"USB, not back":      {"host.device_lost", "Ihr Headset oder ein anderes USB-Tongerät war vor kurzem getrennt.", []report.HostEvent{event(report.EventDeviceUnplugged, "", "usb_disconnect", 0)}},
		"USB, reset":         {"host.device_lost", "Ihr Headset oder ein anderes USB-Tongerät ist vor kurzem kurz ausgefallen.", []report.HostEvent{event(report.EventDeviceUnplugged, "", "usb_reset", 0)}},
		"Wi-Fi, shut down":   {"host.wifi_dropped", "", []report.HostEvent{shutDown, event(report.EventWiFiDropped, "", "", 0)}},
		"memory":             {"host.out_of_memory", "Ihr Computer hat Zoom vor kurzem beendet, weil der Speicher voll war.", []report.HostEvent{event(report.EventOutOfMemory, "Zoom", "", 0)}},
		"memory, another":    {"host.out_of_memory", "Der Speicher Ihres Computers war vor kurzem voll.", []report.HostEvent{event(report.EventOutOfMemory, "", "", 0)}},
		"asleep":             {"host.sleep_resume", "Ihr Computer war vor kurzem 2 Stunden im Ruhezustand.", []report.HostEvent{event(report.EventResume, "", "", 7900)}},
		"restarted":          {"host.restarted", "Ihr Computer wurde vor kurzem neu gestartet.", []report.HostEvent{event(report.EventRestarted, "", "", 60)}},
		"closed":             {"", "", []report.HostEvent{event(report.EventClientEnded, "Zoom", "", 0)}},
		"overloaded":         {"", "", []report.HostEvent{event(report.EventOverloaded, "", "cpu", 90)}},
	} {
		r := &report.Report{StartedAt: startedAt(), Probes: []report.Result{result(report.ProbeHostCrash, &report.HostCrash{Events: c.events})}}
		diagnose.Finish(r, profile(t, "bbb"))
		got := ""
		for _, cause := range r.Causes {
			if text, ok := diagnose.ExplainCause(cause, phrase.DE); ok && cause.Code == c.code {
				got = text.Sentence
			}
		}
		if got != c.want || c.code == "" && len(r.Causes) > 0 && r.Causes[0].Code != "host.sleep_resume" {
			t.Errorf("%s: got %q, want %q; causes %+v", name, got, c.want, r.Causes)
		}
	}
}

// TestSilenceBeyondTheRouterIsUnattributed: the collector itself may be at fault.
func TestSilenceBeyondTheRouterIsUnattributed(t *testing.T) {
	for detail, area := range map[string]report.Area{"beyond_router": report.AreaUnknown, "router": report.AreaParticipant, "link": report.AreaParticipant} {
		r := &report.Report{StartedAt: startedAt(), Probes: []report.Result{result(report.ProbeHostCrash, &report.HostCrash{Events: []report.HostEvent{
			{At: startedAt().Add(-time.Minute), Kind: report.EventConnectionLost, Detail: detail, Program: "Zoom"}}})}}
		diagnose.Finish(r, profile(t, "bbb"))
		if len(r.Causes) != 1 || r.Causes[0].Area != area {
			t.Errorf("%s: got %+v, want one cause with area %s", detail, r.Causes, area)
		}
	}
}

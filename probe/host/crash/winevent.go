package crash

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// winEvent is an event of the Windows event log as rendered by EvtRender.
type winEvent struct {
	System struct {
		Provider struct {
			Name       string `xml:"Name,attr"`
			SourceName string `xml:"EventSourceName,attr"`
		} `xml:"Provider"`
		ID   int `xml:"EventID"`
		Time struct {
			At string `xml:"SystemTime,attr"`
		} `xml:"TimeCreated"`
	} `xml:"System"`
	Data []winData `xml:"EventData>Data"`
}

type winData struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

// value returns the value of a named datum, or the one at the given position: older
// builds of Windows do not name the data, but use the same order.
func (e winEvent) value(name string, place int) string {
	named := false
	for _, d := range e.Data {
		if d.Name == name {
			return strings.TrimSpace(d.Value)
		}
		named = named || d.Name != ""
	}
	if !named && place >= 0 && place < len(e.Data) {
		return strings.TrimSpace(e.Data[place].Value)
	}
	return ""
}

// from reports whether the event is from a provider, by either of its names.
func (e winEvent) from(provider string, id int) bool {
	return e.System.ID == id && (e.System.Provider.Name == provider || e.System.Provider.SourceName == provider)
}

// parseWinEvent parses one record. It has no event for other records, and two for a
// resume, which contains the start of the sleep.
func parseWinEvent(document string) (winRecord, error) {
	var e winEvent
	if err := xml.Unmarshal([]byte(document), &e); err != nil {
		return winRecord{}, fmt.Errorf("read an event of Windows: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, e.System.Time.At)
	if err != nil {
		return winRecord{}, fmt.Errorf("read the time of an event of Windows: %w", err)
	}
	events := e.events()
	for i := range events {
		if events[i].At.IsZero() {
			events[i].At = at
		}
	}
	return winRecord{e.reportID(), events}, nil
}

func (e winEvent) events() []report.HostEvent {
	one := func(kind report.HostEventKind, program, detail string) []report.HostEvent {
		return []report.HostEvent{{Kind: kind, Program: program, Detail: detail}}
	}
	switch {
	case e.from("Application Error", 1000):
		return ofCrashed(e.value("AppName", 0), hex(e.value("ExceptionCode", 6), 16))
	case e.from("Application Hang", 1002):
		return ofKnown(report.EventClientHung, program(e.value("AppName", 0)), "")
	case e.from("Windows Error Reporting", 1001):
		return e.errorReport()
	case e.from("Microsoft-Windows-Kernel-Power", 41):
		return e.badEnd()
	case e.from("Microsoft-Windows-WER-SystemErrorReporting", 1001), e.from("BugCheck", 1001):
		// "0x0000009f (0x0000000000000003, …)"
		code, _, _ := strings.Cut(e.value("param1", 0), " ")
		return one(report.EventBluescreen, "", hex(code, 16))
	case e.from("EventLog", 6008):
		return one(report.EventUnexpectedShutdown, "", "")
	case e.from("User32", 1074):
		return one(report.EventRestarted, "", e.restartReason())
	case e.from("Display", 4101), e.from("nvlddmkm", 153) && e.mentions("TDR"):
		return one(report.EventGPUReset, "", "")
	case e.from("Microsoft-Windows-Resource-Exhaustion-Detector", 2004):
		return one(report.EventOutOfMemory, "", "")
	case e.from("Microsoft-Windows-WLAN-AutoConfig", 8001):
		return one(report.EventLinkChanged, "", "up")
	case e.from("Microsoft-Windows-WLAN-AutoConfig", 8002):
		return one(report.EventWiFiDropped, "", detailConnectingFailed)
	case e.from("Microsoft-Windows-WLAN-AutoConfig", 8003):
		switch reason := e.value("Reason", 6); {
		case byPerson(reason):
			return one(report.EventLinkChanged, "", detailSwitchedOff)
		case e.value("ReasonCode", 8) == "5", strings.Contains(strings.ToLower(reason), "due to a policy"):
			// Windows leaves the Wi-Fi for a better line, such as a cable.
			return one(report.EventLinkChanged, "", "other")
		}
		return one(report.EventWiFiDropped, "", "")
	case e.from("Microsoft-Windows-Kernel-Power", 42), e.from("Microsoft-Windows-Kernel-Power", 506):
		return one(report.EventSleep, "", "")
	case e.from("Microsoft-Windows-Kernel-Power", 507):
		return one(report.EventResume, "", "")
	case e.from("Microsoft-Windows-Power-Troubleshooter", 1):
		return e.resume()
	}
	return nil
}

// detailConnectingFailed means that Windows could not connect to a network.
const detailConnectingFailed = "connecting_failed"

// withoutFailedConnects returns the events without failed connects that are not beside a lost Wi-Fi:
// Windows also tries by itself to connect to a network that was not in use.
func withoutFailedConnects(events []report.HostEvent) []report.HostEvent {
	isFailed := func(e report.HostEvent) bool {
		return e.Kind == report.EventWiFiDropped && e.Detail == detailConnectingFailed
	}
	return slices.DeleteFunc(slices.Clone(events), func(e report.HostEvent) bool {
		return isFailed(e) && !slices.ContainsFunc(events, func(o report.HostEvent) bool { return !isFailed(o) && Same(o, e) })
	})
}

// byPerson reports whether the reason of a disconnect is that a person switched the Wi-Fi
// off or chose another network. The event has no code for it, only a sentence in the
// language of the system; in other languages the Wi-Fi counts as lost.
func byPerson(reason string) bool {
	reason = strings.ToLower(reason)
	// "… disconnected by the user", "… because the user wants to establish a new connection".
	return strings.Contains(reason, "the user") || strings.Contains(reason, "benutzer")
}

// mentions reports whether a datum contains a word. Drivers write their own texts, which are not
// translated.
func (e winEvent) mentions(word string) bool {
	return slices.ContainsFunc(e.Data, func(d winData) bool { return strings.Contains(d.Value, word) })
}

// restartReason returns the detail of a shutdown or restart that was requested in order. Its text and
// its reason are in the language of the system, and only the name of the program that requested it is
// not: "C:\\Windows\\uus\\AMD64\\MoUsoCoreWorker.exe (COMPUTER)".
func (e winEvent) restartReason() string {
	path, _, _ := strings.Cut(e.value("param1", 0), " (")
	switch strings.ToLower(path[strings.LastIndexByte(path, '\\')+1:]) {
	case "mousocoreworker.exe", "trustedinstaller.exe", "usoclient.exe", "wuauclt.exe", "musnotificationux.exe":
		return "update"
	}
	return ""
}

// ofCrashed returns the crash of a conference program or of the sound system; none for other programs.
func ofCrashed(name, detail string) []report.HostEvent {
	e, ok := crashed(detail, name)
	if !ok {
		return nil
	}
	return []report.HostEvent{e}
}

// ofKnown returns an event of a conference program; none for other programs.
func ofKnown(kind report.HostEventKind, program, detail string) []report.HostEvent {
	if program == "" {
		return nil
	}
	return []report.HostEvent{{Kind: kind, Program: program, Detail: detail}}
}

// errorReport parses a report of Windows Error Reporting: the name of the event,
// and its parameters P1 to P10, whose meaning depends on the name.
func (e winEvent) errorReport() []report.HostEvent {
	const first = 5 // position of P1
	p := func(n int) string { return e.value("P"+strconv.Itoa(n), first+n-1) }
	name := e.value("EventName", 2)
	switch {
	case name == "APPCRASH":
		return ofCrashed(p(1), hex(p(7), 16))
	case name == "MoAppCrash": // of a package, whose second parameter is the program in it
		return ofCrashed(p(1), hex(p(8), 16))
	case strings.HasPrefix(name, "BEX"): // data execution prevention and stack checks
		return ofCrashed(p(1), hex(p(8), 16))
	case strings.HasPrefix(name, "MoBEX"):
		return ofCrashed(p(1), hex(p(9), 16))
	case strings.HasPrefix(name, "CLR"):
		return ofCrashed(p(1), "")
	case strings.HasPrefix(name, "AppHang"), strings.HasPrefix(name, "MoAppHang"):
		return ofKnown(report.EventClientHung, program(p(1)), "")
	case name == "BlueScreen":
		return []report.HostEvent{{Kind: report.EventBluescreen, Detail: hex(p(1), 16)}}
	case name == "LiveKernelEvent" && (p(1) == "141" || p(1) == "117" || p(1) == "1b8"):
		// VIDEO_ENGINE_TIMEOUT_DETECTED, VIDEO_TDR_TIMEOUT_DETECTED, VIDEO_MINIPORT_BLACK_SCREEN
		return []report.HostEvent{{Kind: report.EventGPUReset, Detail: hex(p(1), 16)}}
	}
	return nil
}

// badEnd returns the event that Windows records at a start after an unexpected
// shutdown: a stop code, a long press of the power button, or a power failure.
func (e winEvent) badEnd() []report.HostEvent {
	if code := hex(e.value("BugcheckCode", 0), 10); code != "" {
		return []report.HostEvent{{Kind: report.EventBluescreen, Detail: code}}
	}
	holds := func(value string) bool { return value != "" && value != "0" && value != "false" }
	detail := ""
	switch {
	case hex(e.value("PowerButtonTimestamp", 6), 10) != "", holds(e.value("LongPowerButtonPressDetected", -1)):
		detail = "power_button"
	case holds(e.value("SleepInProgress", 5)), holds(e.value("ConnectedStandbyInProgress", -1)):
		detail = "during_sleep"
	}
	return []report.HostEvent{{Kind: report.EventUnexpectedShutdown, Detail: detail}}
}

func (e winEvent) resume() []report.HostEvent {
	var events []report.HostEvent
	for _, part := range []struct {
		name  string
		place int
		kind  report.HostEventKind
	}{{"SleepTime", 0, report.EventSleep}, {"WakeTime", 1, report.EventResume}} {
		event := report.HostEvent{Kind: part.kind}
		at, err := time.Parse(time.RFC3339Nano, e.value(part.name, part.place))
		switch {
		case err == nil:
			event.At = at
		case part.kind == report.EventSleep:
			continue // unknown time
		}
		events = append(events, event)
	}
	return events
}

// winQuery is a query of the event log.
type winQuery struct{ channel, filter string }

// winQueries returns the queries for the events since a time; those of programs also for
// earlier ones, which a report since then may belong to. Filters are XPath 1.0
// as supported by the event log ("Consuming Events", Win32).
func winQueries(since, now time.Time) []winQuery {
	of := func(provider string, ids ...int) string {
		var parts []string
		for _, id := range ids {
			parts = append(parts, "EventID="+strconv.Itoa(id))
		}
		return "(Provider[@Name='" + provider + "'] and (" + strings.Join(parts, " or ") + "))"
	}
	query := func(channel string, since time.Time, providers ...string) winQuery {
		ms := max(1, now.Sub(since).Milliseconds())
		return winQuery{channel, fmt.Sprintf("*[System[(%s) and TimeCreated[timediff(@SystemTime) <= %d]]]", strings.Join(providers, " or "), ms)}
	}
	return []winQuery{
		query("Application", since.Add(-reportWait),
			of("Application Error", 1000), of("Application Hang", 1002), of("Windows Error Reporting", 1001)),
		query("System", since,
			of("Microsoft-Windows-Kernel-Power", 41, 42, 506, 507), of("Microsoft-Windows-WER-SystemErrorReporting", 1001),
			of("BugCheck", 1001), of("EventLog", 6008), of("Display", 4101),
			of("User32", 1074), of("nvlddmkm", 153), of("Microsoft-Windows-Resource-Exhaustion-Detector", 2004), of("Microsoft-Windows-Power-Troubleshooter", 1)),
		query("Microsoft-Windows-WLAN-AutoConfig/Operational", since,
			of("Microsoft-Windows-WLAN-AutoConfig", 8001, 8002, 8003)),
	}
}

// readErrorReportName parses the name of a folder of Windows Error Reporting:
// AppCrash_Zoom.exe_<hash>_<hash>_<cab>_<guid>, truncated.
func readErrorReportName(name string) (report.HostEvent, bool) {
	kind, rest, _ := strings.Cut(name, "_")
	app, _, ok := strings.Cut(rest, "_")
	e := report.HostEvent{Program: program(app), Detail: detailDump}
	switch kind {
	case "AppCrash", "Critical":
		e.Kind = report.EventClientCrashed
	case "AppHang":
		e.Kind, e.Detail = report.EventClientHung, ""
	default:
		return report.HostEvent{}, false
	}
	return e, ok && e.Program != ""
}

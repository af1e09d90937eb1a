package crash

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// winDocument returns an event as rendered by the event log. Data of the form
// name=value are named; others are not, as on older builds.
func winDocument(provider string, id int, data ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID Qualifiers='0'>%d</EventID><Level>2</Level><TimeCreated SystemTime='2026-03-02T08:00:00.1234567Z'/><Computer>RAT-ANNA</Computer></System><EventData>`, provider, id)
	for _, d := range data {
		if name, value, named := strings.Cut(d, "="); named {
			fmt.Fprintf(&b, "<Data Name='%s'>%s</Data>", name, value)
		} else {
			fmt.Fprintf(&b, "<Data>%s</Data>", d)
		}
	}
	b.WriteString("</EventData></Event>")
	return b.String()
}

func TestWindowsEvents(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		want     []string
	}{
		"crash, named": {
			winDocument("Application Error", 1000, "AppName=Zoom.exe", "AppVersion=6.1", "ModuleName=zVideoApp.dll", "ExceptionCode=c0000005", `AppPath=C:\Users\Anna\AppData\Zoom.exe`),
			[]string{"client_crashed Zoom 0xc0000005"},
		},
		"crash, unnamed": {
			winDocument("Application Error", 1000, "chrome.exe", "120.0", "5f", "ntdll.dll", "10.0", "60", "0xc0000409", "000a", "1234", "01d9", `C:\x`, `C:\y`, "guid"),
			[]string{"client_crashed Chrome 0xc0000409"},
		},
		"crash of another program": {winDocument("Application Error", 1000, "AppName=tagebuch.exe", "ExceptionCode=c0000005"), []string{}},
		"hang":                     {winDocument("Application Hang", 1002, "Teams.exe", "1.6", "1abc", "01d9"), []string{"client_hung Teams"}},
		"report of a crash": {
			winDocument("Windows Error Reporting", 1001, "Bucket=1", "BucketType=4", "EventName=APPCRASH", "Response=", "CabId=0", "P1=firefox.exe", "P7=c0000005"),
			[]string{"client_crashed Firefox 0xc0000005"},
		},
		"report of a crash, unnamed": {
			winDocument("Windows Error Reporting", 1001, "1", "4", "BEX64", "n", "0", "msedge.exe", "120", "5f", "x.dll", "1", "60", "0", "c0000409", "5", "", ""),
			[]string{"client_crashed Edge 0xc0000409"},
		},
		"report of a hang":       {winDocument("Windows Error Reporting", 1001, "EventName=AppHangB1", "P1=Zoom.exe"), []string{"client_hung Zoom"}},
		"sound, isolated":        {winDocument("Application Error", 1000, "audiodg.exe", "10.0", "5f", "x.dll", "1", "60", "c0000005"), []string{"sound_crashed  0xc0000005"}},
		"sound, a service":       {winDocument("Windows Error Reporting", 1001, "EventName=APPCRASH", "P1=svchost.exe_Audiosrv", "P7=c0000005"), []string{"sound_crashed  0xc0000005"}},
		"another service":        {winDocument("Windows Error Reporting", 1001, "EventName=APPCRASH", "P1=svchost.exe_Spooler", "P7=c0000005"), []string{}},
		"report of the graphics": {winDocument("Windows Error Reporting", 1001, "EventName=LiveKernelEvent", "P1=141"), []string{"gpu_reset  0x141"}},
		"report of a stop":       {winDocument("Windows Error Reporting", 1001, "EventName=BlueScreen", "P1=9f"), []string{"bluescreen  0x9f"}},
		"report of an update":    {winDocument("Windows Error Reporting", 1001, "EventName=WindowsUpdateFailure", "P1=Zoom.exe"), []string{}},
		"stop code": {
			winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=159", "SleepInProgress=0", "PowerButtonTimestamp=0"),
			[]string{"bluescreen  0x9f"},
		},
		"power button":           {winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=0", "SleepInProgress=0", "PowerButtonTimestamp=133"), []string{"unexpected_shutdown  power_button"}},
		"power lost asleep":      {winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=0", "SleepInProgress=4", "PowerButtonTimestamp=0"), []string{"unexpected_shutdown  during_sleep"}},
		"power lost":             {winDocument("Microsoft-Windows-Kernel-Power", 41, "0", "0x0", "0x0", "0x0", "0x0", "0", "0"), []string{"unexpected_shutdown"}},
		"stop, later":            {winDocument("Microsoft-Windows-WER-SystemErrorReporting", 1001, "param1=0x0000009f (0x0000000000000003, 0x0)"), []string{"bluescreen  0x9f"}},
		"stop, older":            {winDocument("BugCheck", 1001, "0x000000d1 (0x0, 0x2)"), []string{"bluescreen  0xd1"}},
		"unexpected shutdown":    {winDocument("EventLog", 6008, "20:00:00", "01.03.2026"), []string{"unexpected_shutdown"}},
		"graphics":               {winDocument("Display", 4101, "igfx", ""), []string{"gpu_reset"}},
		"memory":                 {winDocument("Microsoft-Windows-Resource-Exhaustion-Detector", 2004), []string{"out_of_memory"}},
		"Wi-Fi lost":             {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "ProfileName=Familie Müller", "SSID=Familie Müller", "Reason=x"), []string{"wifi_dropped"}},
		"Wi-Fi switched off":     {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "SSID=x", "Reason=The network is disconnected by the user."), []string{"link_changed  switched_off"}},
		"Wi-Fi off, unnamed":     {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "{guid}", "Intel", "Profil", "Benutzer", "by the user", "Infrastruktur", "Das Netzwerk wurde vom Benutzer getrennt.", "0x1"), []string{"link_changed  switched_off"}},
		"Wi-Fi named by a user":  {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "ProfileName=by the user", "SSID=vom Benutzer", "Reason=The driver disconnected while associating."), []string{"wifi_dropped"}},
		"Wi-Fi does not connect": {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8002, "SSID=x"), []string{"wifi_dropped  connecting_failed"}},
		"Wi-Fi connected":        {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8001, "SSID=x"), []string{"link_changed  up"}},
		"sleep":                  {winDocument("Microsoft-Windows-Kernel-Power", 42), []string{"sleep"}},
		"resume": {
			winDocument("Microsoft-Windows-Power-Troubleshooter", 1, "SleepTime=2026-03-02T07:00:00Z", "WakeTime=2026-03-02T07:59:00Z"),
			[]string{"sleep", "resume"},
		},
		"resume, unnamed": {
			winDocument("Microsoft-Windows-Power-Troubleshooter", 1, "2026-03-02T07:00:00Z", "2026-03-02T07:59:00Z", "0"),
			[]string{"sleep", "resume"},
		},
		"resume at an unknown time": {winDocument("Microsoft-Windows-Power-Troubleshooter", 1), []string{"resume"}},
		"modern standby":            {winDocument("Microsoft-Windows-Kernel-Power", 506, "Reason=1"), []string{"sleep"}},
		"end of modern standby":     {winDocument("Microsoft-Windows-Kernel-Power", 507, "Reason=1"), []string{"resume"}},
		"hang, named":               {winDocument("Application Hang", 1002, "AppName=zoom.exe", "AppVersion=6.1", "ProcessId=1abc"), []string{"client_hung Zoom"}},
		"report of a store program": {winDocument("Windows Error Reporting", 1001, "EventName=MoAppCrash", "P1=MSTeams_24124.1412.2911.3341_x64__8wekyb3d8bbwe", "P2=praid:MSTeams", "P3=24124", "P4=65bd666e", "P5=combase.dll", "P6=10.0", "P7=838f05bb", "P8=c0000005"), []string{"client_crashed Teams 0xc0000005"}},
		"protected package":         {winDocument("Windows Error Reporting", 1001, "EventName=MoBEX", "P1=MSTeams_24124_x64__8wekyb3d8bbwe", "P7=838f05bb", "P9=c0000409"), []string{"client_crashed Teams 0xc0000409"}},
		"restart": {
			winDocument("User32", 1074, "param1=C:\\Windows\\system32\\winlogon.exe (RAT-ANNA)", "param2=RAT-ANNA", "param3=Betriebssystem: Aktualisierung (Geplant)", "param4=0x80020003", "param5=Neu starten", "param6=", "param7=NT-AUTORITÄT\\SYSTEM"),
			[]string{"restarted"},
		},
		"restart for an update, unnamed": {
			winDocument("User32", 1074, "C:\\WINDOWS\\uus\\AMD64\\MoUsoCoreWorker.exe (RAT-ANNA)", "RAT-ANNA", "Betriebssystem: Service Pack (Geplant)", "0x80020010", "Neustart", "", "NT-AUTORITÄT\\SYSTEM"),
			[]string{"restarted  update"},
		},
		"restart without a program": {winDocument("User32", 1074), []string{"restarted"}},
		"graphics, by its driver":   {winDocument("nvlddmkm", 153, "\\Device\\Video3", "Resetting TDR occurred on GPUID:100"), []string{"gpu_reset"}},
		"another error of a driver": {winDocument("nvlddmkm", 153, "\\Device\\Video3", "Error occurred on GPUID: 2b00"), []string{}},
		"Wi-Fi left for a cable":    {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "SSID=Anna", "BSSType=Infrastructure", "Reason=The network is disconnected due to a policy disabling auto connect on this interface.", "ConnectionId=0x1", "ReasonCode=5"), []string{"link_changed  other"}},
		"Wi-Fi left, German":        {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "{guid}", "Intel", "Automatische Verbindung mit einem Profil", "Anna", "Anna", "Infrastruktur", "Aufgrund einer Richtlinie", "0x1", "5"), []string{"link_changed  other"}},
		"Wi-Fi lost, by the driver": {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "SSID=home&amp;away", "Reason=The network is disconnected by the driver.", "ConnectionId=0x1", "ReasonCode=4"), []string{"wifi_dropped"}},
		"held button, Windows 11":   {winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=0", "SleepInProgress=0", "PowerButtonTimestamp=0", "ConnectedStandbyInProgress=false", "LongPowerButtonPressDetected=true"), []string{"unexpected_shutdown  power_button"}},
		"power lost in standby":     {winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=0", "SleepInProgress=0", "PowerButtonTimestamp=0", "ConnectedStandbyInProgress=true", "LongPowerButtonPressDetected=false"), []string{"unexpected_shutdown  during_sleep"}},
		"power lost, Windows 11":    {winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=0", "BugcheckParameter1=0x0", "SleepInProgress=0", "PowerButtonTimestamp=0", "BootAppStatus=0", "Checkpoint=0", "ConnectedStandbyInProgress=false", "SystemSleepTransitionsToOn=0", "LongPowerButtonPressDetected=false"), []string{"unexpected_shutdown"}},
		"hang of another process":   {winDocument("Windows Error Reporting", 1001, "", "0", "AppHangXProcB1", "Nicht verfügbar", "0", "Zoom.exe", "6.1", "stamp", "1d07", "128", "svchost.exe:eventlog"), []string{"client_hung Zoom"}},
		"memory leak":               {winDocument("Windows Error Reporting", 1001, "EventName=RADAR_PRE_LEAK_64", "P1=msedge.exe"), []string{}},
		"report of .NET":            {winDocument("Windows Error Reporting", 1001, "EventName=CLR20r3", "P1=teams.exe"), []string{"client_crashed Teams"}},
		"report of a hang, unnamed": {winDocument("Windows Error Reporting", 1001, "1", "5", "AppHangB1", "n", "0", "firefox.exe", "120"), []string{"client_hung Firefox"}},
		"report of a stop, unnamed": {winDocument("Windows Error Reporting", 1001, "1", "0", "BlueScreen", "n", "0", "d1", "0"), []string{"bluescreen  0xd1"}},
		"stop code, unnamed":        {winDocument("Microsoft-Windows-Kernel-Power", 41, "159", "0x3", "0x0", "0x0", "0x0", "0", "0"), []string{"bluescreen  0x9f"}},
		"power button, unnamed":     {winDocument("Microsoft-Windows-Kernel-Power", 41, "0", "0x0", "0x0", "0x0", "0x0", "0", "133"), []string{"unexpected_shutdown  power_button"}},
		"stop, later, unnamed":      {winDocument("Microsoft-Windows-WER-SystemErrorReporting", 1001, "0x000000d1 (0x0, 0x2)", "C:\\dump", "guid"), []string{"bluescreen  0xd1"}},
		"Wi-Fi connects, unnamed":   {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8001, "{guid}", "Intel", "Familie Müller"), []string{"link_changed  up"}},
		"Wi-Fi fails, unnamed":      {winDocument("Microsoft-Windows-WLAN-AutoConfig", 8002, "{guid}", "Intel", "Familie Müller"), []string{"wifi_dropped  connecting_failed"}},
		"another provider":          {winDocument("Anna Application Error", 1000, "AppName=Zoom.exe"), []string{}},
	} {
		record, err := parseWinEvent(c.document)
		events := record.events
		if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got error %v, %q; want %q", name, err, got, c.want)
		}
		for _, e := range events {
			if e.At.Before(time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)) || e.At.After(time.Date(2026, 3, 2, 8, 0, 1, 0, time.UTC)) {
				t.Errorf("%s: got time %v, want 2026-03-02, 7:00 to 8:00", name, e.At)
			}
		}
	}
	for _, broken := range []string{"", "<Event>", "<Event></Event>", "<a/>", "\x00"} {
		if record, err := parseWinEvent(broken); err == nil {
			t.Errorf("%q: got %v, want an error", broken, record)
		}
	}
}

// TestFailedConnectAlone: Windows also fails to connect to a network that was never in use.
func TestFailedConnectAlone(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	record := func(s int, kind report.HostEventKind, detail string) report.HostEvent {
		return report.HostEvent{At: at.Add(time.Duration(s) * time.Second), Kind: kind, Detail: detail}
	}
	failed, lost := record(8, report.EventWiFiDropped, detailConnectingFailed), record(0, report.EventWiFiDropped, "")
	for name, c := range map[string]struct {
		events []report.HostEvent
		want   []string
	}{
		"alone":                   {[]report.HostEvent{failed}, []string{}},
		"after a loss":            {[]report.HostEvent{failed, lost}, []string{"wifi_dropped  connecting_failed", "wifi_dropped"}},
		"long after a loss":       {[]report.HostEvent{record(600, report.EventWiFiDropped, detailConnectingFailed), lost}, []string{"wifi_dropped"}},
		"after it was turned off": {[]report.HostEvent{failed, record(0, report.EventLinkChanged, detailSwitchedOff)}, []string{"link_changed  switched_off"}},
		"twice":                   {[]report.HostEvent{failed, record(9, report.EventWiFiDropped, detailConnectingFailed)}, []string{}},
	} {
		if got := eventTexts(withoutFailedConnects(c.events)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestWindowsQueries(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	queries := winQueries(now.Add(-24*time.Hour), now)
	want := "*[System[((Provider[@Name='Application Error'] and (EventID=1000)) or (Provider[@Name='Application Hang'] and (EventID=1002)) or (Provider[@Name='Windows Error Reporting'] and (EventID=1001))) and TimeCreated[timediff(@SystemTime) <= 691200000]]]"
	// The report of a crash may be a week late.
	if len(queries) != 3 || queries[0].channel != "Application" || queries[0].filter != want {
		t.Errorf("got %+v; want 3 entries, [0].channel %q, [0].filter %v", queries, "Application", want)
	}
	for _, q := range queries[1:] {
		if !strings.Contains(q.filter, "timediff(@SystemTime) <= 86400000]") {
			t.Errorf("%s: got filter %s, want one of 24 h", q.channel, q.filter)
		}
	}
}

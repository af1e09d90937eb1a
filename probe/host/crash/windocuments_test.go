package crash

import (
	"reflect"
	"strings"
	"testing"
)

// TestWholeWindowsDocuments: events as the system renders them, with what surrounds their data.
func TestWholeWindowsDocuments(t *testing.T) {
	const head = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>`
	const tail = `<Version>0</Version><Level>2</Level><Task>100</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>` +
		`<TimeCreated SystemTime='2026-03-02T08:00:00.1234567Z'/><EventRecordID>4711</EventRecordID><Correlation ActivityID='{0}'/>` +
		`<Execution ProcessID='1' ThreadID='2'/><Channel>x</Channel><Computer>RAT-ANNA</Computer><Security UserID='S-1-5-18'/></System>`
	for name, c := range map[string]struct {
		document string
		want     []string
	}{
		"crash, Windows 11": {
			`<Provider Name='Application Error' Guid='{a0e9b465-b939-57d7-b27d-95d8e925ff57}'/><EventID>1000</EventID>` + tail +
				`<EventData><Data Name='AppName'>ms-teams.exe</Data><Data Name='AppVersion'>24124.1412.2911.3341</Data><Data Name='AppTimeStamp'>6643a1b2</Data>` +
				`<Data Name='ModuleName'>ntdll.dll</Data><Data Name='ModuleVersion'>10.0.26100.1</Data><Data Name='ModuleTimeStamp'>1b2</Data><Data Name='ExceptionCode'>c0000374</Data>` +
				`<Data Name='FaultingOffset'>00000000000ff2a9</Data><Data Name='ProcessId'>0x1f4c</Data><Data Name='IntegratorReportId'>8d4e3b5a-7c1f-4a4b-8c1d-2e3f40515253</Data>` +
				`<Data Name='PackageFullName'>MSTeams_24124.1412.2911.3341_x64__8wekyb3d8bbwe</Data><Data Name='PackageRelativeAppId'>MSTeams</Data></EventData>`,
			[]string{"client_crashed Teams 0xc0000374"},
		},
		"crash, Windows 10": {
			`<Provider Name='Application Error'/><EventID Qualifiers='0'>1000</EventID>` + tail +
				`<EventData><Data>CptHost.exe</Data><Data>6.0.11.39959</Data><Data>66</Data><Data>zCrashReport64.dll</Data><Data>6.0</Data><Data>66</Data><Data>80000003</Data><Data>0</Data><Data>1a</Data>` +
				`<Data>01da</Data><Data>C:\Users\Anna\AppData\Roaming\Zoom\bin\CptHost.exe</Data><Data>C:\x</Data><Data>id</Data><Data></Data><Data></Data></EventData>`,
			[]string{"client_crashed Zoom 0x80000003"},
		},
		"browser component of another program": {
			`<Provider Name='Application Error'/><EventID Qualifiers='0'>1000</EventID>` + tail + `<EventData><Data>msedgewebview2.exe</Data><Data>120</Data></EventData>`,
			[]string{},
		},
		"hang, with binary data": {
			`<Provider Name='Application Hang'/><EventID Qualifiers='0'>1002</EventID>` + tail +
				`<EventData><Data>WebexHost.exe</Data><Data>44.5.0</Data><Data>2f10</Data><Data>01da9c</Data><Data>4294967295</Data><Data>C:\x</Data><Data>id</Data><Data></Data><Data></Data><Data>Cross-process</Data><Binary>430072006F00730073000000</Binary></EventData>`,
			[]string{"client_hung Webex"},
		},
		"hang that ended": {winDocument("Windows Error Reporting", 1001, "EventName=AppHangTransient", "P1=firefox.exe"), []string{"client_hung Firefox"}},
		"power lost, German, with direction marks": {
			`<Provider Name='EventLog'/><EventID Qualifiers='32768'>6008</EventID>` + tail +
				"<EventData><Data>20:41:07</Data><Data>\u200e01.\u200e03.\u200e2026</Data><Data></Data><Data></Data><Data>86400</Data><Data></Data><Data></Data><Binary>EA0703000000010014002900070012</Binary></EventData>",
			[]string{"unexpected_shutdown"},
		},
		"stop code, Windows 10": {
			`<Provider Name='Microsoft-Windows-Kernel-Power' Guid='{331c3b3a-2005-44c2-ac5e-77220c37d6b4}'/><EventID>41</EventID>` + tail +
				`<EventData><Data Name='BugcheckCode'>159</Data><Data Name='BugcheckParameter1'>0x3</Data><Data Name='BugcheckParameter2'>0xffffba80</Data><Data Name='SleepInProgress'>0</Data>` +
				`<Data Name='PowerButtonTimestamp'>0</Data><Data Name='BootAppStatus'>0</Data><Data Name='Checkpoint'>16</Data><Data Name='ConnectedStandbyInProgress'>false</Data><Data Name='BugcheckInfoFromEFI'>false</Data></EventData>`,
			[]string{"bluescreen  0x9f"},
		},
		"power lost, Windows 7": {
			`<Provider Name='Microsoft-Windows-Kernel-Power' Guid='{331c3b3a-2005-44c2-ac5e-77220c37d6b4}'/><EventID>41</EventID>` + tail +
				`<EventData><Data Name='BugcheckCode'>0</Data><Data Name='BugcheckParameter1'>0x0</Data><Data Name='SleepInProgress'>false</Data><Data Name='PowerButtonTimestamp'>0</Data></EventData>`,
			[]string{"unexpected_shutdown"},
		},
		"stop code, later": {
			`<Provider Name='Microsoft-Windows-WER-SystemErrorReporting' Guid='{ABCE23E7-DE45-4366-8631-84FA6C525952}' EventSourceName='BugCheck'/><EventID Qualifiers='16384'>1001</EventID>` + tail +
				`<EventData><Data Name='param1'>0x0000009f (0x0000000000000003, 0xffff950d5f4cc060, 0xffff950d7c5f0920, 0x0000000000000000)</Data><Data Name='param2'>C:\WINDOWS\MEMORY.DMP</Data><Data Name='param3'>id</Data></EventData>`,
			[]string{"bluescreen  0x9f"},
		},
		"graphics": {
			`<Provider Name='Display'/><EventID Qualifiers='0'>4101</EventID>` + tail + `<EventData><Data>amdwddmg</Data><Data></Data></EventData>`,
			[]string{"gpu_reset"},
		},
		"memory, with user data": {
			`<Provider Name='Microsoft-Windows-Resource-Exhaustion-Detector' Guid='{9988748e-c2e8-4054-85f6-0c3e1cad2470}'/><EventID>2004</EventID>` + tail +
				`<UserData><MemoryExhaustionInfo xmlns='http://www.microsoft.com/Windows/Resource/Exhaustion/Detector/Events'><ProcessInfo><Process_1><Name>chrome.exe</Name></Process_1></ProcessInfo></MemoryExhaustionInfo></UserData>`,
			[]string{"out_of_memory"},
		},
		// Also of fingerprint readers and printers. Whether a microphone is away shows elsewhere.
		"driver of a device": {
			`<Provider Name='Microsoft-Windows-DriverFrameworks-UserMode' Guid='{2e35aaeb-857f-4beb-a418-2e6c0e54d988}'/><EventID>10110</EventID>` + tail +
				`<UserData><UMDFHostProblem lifetime='{0}' xmlns='http://www.microsoft.com/DriverFrameworks/UserMode/Event'><Problem code='3' detectedBy='2'>3</Problem></UMDFHostProblem></UserData>`,
			[]string{},
		},
		"device offline": {
			`<Provider Name='Microsoft-Windows-DriverFrameworks-UserMode'/><EventID>10111</EventID>` + tail +
				`<UserData><UMDFHostDeviceOffline xmlns='x'><FriendlyName>Sensor von Anna</FriendlyName><RestartCount>5</RestartCount></UMDFHostDeviceOffline></UserData>`,
			[]string{},
		},
		"power off by a person": {
			`<Provider Name='User32' Guid='{b0aa8734-56f7-41cc-b2f4-de228e98b946}' EventSourceName='User32'/><EventID Qualifiers='32768'>1074</EventID>` + tail +
				`<EventData><Data Name='param1'>C:\Windows\System32\RuntimeBroker.exe (RAT-ANNA)</Data><Data Name='param2'>RAT-ANNA</Data><Data Name='param3'>Anderer Grund (Nicht geplant)</Data><Data Name='param4'>0x0</Data><Data Name='param5'>Ausschalten</Data><Data Name='param6'></Data><Data Name='param7'>RAT-ANNA\Anna</Data></EventData>`,
			[]string{"restarted"},
		},
		"another network, chosen by a person": {
			winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "ProfileName=Anna", "SSID=Anna", "Reason=The network is disconnected because the user wants to establish a new connection."),
			[]string{"link_changed  switched_off"},
		},
		"another network, German": {
			winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "SSID=Anna", "Reason=Das Netzwerk wurde getrennt, weil der Benutzer eine neue Verbindung herstellen möchte."),
			[]string{"link_changed  switched_off"},
		},
		"engine of the graphics": {winDocument("Windows Error Reporting", 1001, "", "0", "LiveKernelEvent", "Nicht verfügbar", "0", "141", "ffffa70d7b8c8460", "fffff80763e6a0f0", "0", "1e58", "10_0_19045", "0_0", "768_1", "", "", `\\?\C:\WINDOWS\LiveKernelReports\WATCHDOG\WATCHDOG-20260302-0900.dmp`), []string{"gpu_reset  0x141"}},
		"controller of USB":      {winDocument("Windows Error Reporting", 1001, "", "0", "LiveKernelEvent", "Nicht verfügbar", "0", "144", "3003"), []string{}},
		"memory leak, 32 bits":   {winDocument("Windows Error Reporting", 1001, "", "0", "RADAR_PRE_LEAK_WOW64", "Nicht verfügbar", "0", "Zoom.exe", "6.0"), []string{}},
	} {
		document := c.document
		if !strings.HasPrefix(document, "<Event") {
			document = head + document + "</Event>"
		}
		r, err := parseWinEvent(document)
		if got := eventTexts(r.events); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

package crash

import (
	"strings"
	"testing"
)

// TestAQuietDay: the records of an ordinary day, without a fault that a participant could notice, are no
// events.
func TestAQuietDay(t *testing.T) {
	for _, document := range []string{
		winDocument("Service Control Manager", 7036, "param1=Windows Update", "param2=beendet"),
		winDocument("Service Control Manager", 7031, "param1=Zoom Sharing Service", "param2=1"),
		winDocument("Microsoft-Windows-DistributedCOM", 10016, "param1=anwendungsspezifisch"),
		winDocument("Microsoft-Windows-Kernel-Power", 105, "AcOnline=true", "RemainingCapacity=90"),
		winDocument("Microsoft-Windows-Kernel-Power", 109, "ShutdownActionType=6"),
		winDocument("Microsoft-Windows-Kernel-Power", 172, "State=2", "Reason=6"),
		winDocument("Microsoft-Windows-Kernel-Power", 130, "SuspendStart=123", "SuspendEnd=456"),
		winDocument("Microsoft-Windows-Kernel-General", 12, "StartTime=2026-03-02T07:00:00Z"),
		winDocument("EventLog", 6005), winDocument("EventLog", 6006), winDocument("EventLog", 6013, "", "", "", "", "86400", "60"),
		winDocument("Display", 4097), winDocument("nvlddmkm", 14, `\Device\Video3`, "GPU recovery action changed"),
		winDocument("Microsoft-Windows-WHEA-Logger", 19, "ErrorSource=0"),
		winDocument("Microsoft-Windows-Resource-Exhaustion-Detector", 1003),
		winDocument("Microsoft-Windows-WLAN-AutoConfig", 8000, "SSID=x"), winDocument("Microsoft-Windows-WLAN-AutoConfig", 11004, "SSID=x"),
		winDocument("Application Error", 1000, "IntelAudioService.exe", "1.0", "59afa72c", "KERNELBASE.dll", "10.0", "428de48c", "e06d7363"),
		winDocument("Application Error", 1000), winDocument("Application Hang", 1002, "explorer.exe", "10.0"), winDocument("Application Hang", 1002),
		winDocument("Windows Error Reporting", 1001, "2005798148961969216", "5", "StoreAgentScanForUpdatesFailure0", "Not available", "0", "Update;", "8024402c"),
		winDocument("Windows Error Reporting", 1001, "EventName=WindowsUpdateFailure3", "P1=10.0"),
		winDocument("Windows Error Reporting", 1001, "EventName=RADAR_PRE_LEAK_64", "P1=dwm.exe"),
		winDocument("Windows Error Reporting", 1001, "EventName=LiveKernelEvent", "P1=1a8"),
		winDocument("Windows Error Reporting", 1001, "EventName=MoAppHang", "P1=Microsoft.LockApp_10.0_neutral__cw5n1h2txyewy"),
		winDocument("Windows Error Reporting", 1001),
	} {
		if record, err := parseWinEvent(document); err != nil || len(record.events) != 0 {
			t.Errorf("%s: got %q, %v; want nothing", document, eventTexts(record.events), err)
		}
	}
	head := func(kind, name string) string {
		return `{"name":"` + name + `","app_name":"` + name + `","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"` + kind + `","os_version":"macOS 26.5"}` + "\n"
	}
	for _, document := range []string{
		head("226", "") + `{"postTime":123,"events":[]}`, head("211", "") + `{"_marker":"<metadata>"}`,
		head("142", "zoom.us"), head("145", "firefox"), head("202", "Google Chrome") + `{"event":"cpu usage"}`, head("385", "Safari"), head("308", "zoom.us"),
		head("309", "mdworker_shared") + `{"procName":"mdworker_shared"}`, head("309", ""), head("313", ""), head("239", "firefox"),
		head("288", "") + `{"reason":"sysdiagnose","processByPid":{"1":{"procname":"zoom.us"}}}`,
		head("298", "") + `{"largestProcess":"zoom.us","processes":[{"name":"mds_stores","reason":"per-process-limit"}]}`,
		hangText("Mail", "hang", "30s"), hangText("zoom.us", "hang", "1.06s"), hangText("firefox", "disk writes", "600s"),
	} {
		if e, ok, err := parseDiagnosticReport(strings.NewReader(document)); err != nil || ok {
			t.Errorf("%s: got %q, %v; want nothing", document, eventText(e), err)
		}
	}
	for _, message := range []string{
		"Linux version 6.1.0-40-amd64", "usb 1-1: new high-speed USB device number 5 using xhci_hcd", "usb 1-1: USB disconnect, device number 5",
		"wlan0: authenticate with 02:00:00:00:00:00", "wlan0: RX AssocResp from 02:00:00:00:00:00 (capab=0x1511 status=0 aid=1)",
		"perf: interrupt took too long (2510 > 2500), lowering kernel.perf_event_max_sample_rate", "CPU0: Core temperature/speed normal",
		"Memory cgroup out of memory: Killed process 9 (postgres) total-vm:1kB", "postgres[9]: segfault at 0 ip 0 sp 0 error 4",
		"traps: baloo_file[9] trap int3 ip:0 sp:0 error:0", "PM: suspend debug: waiting", "[drm] GPU is idle", "i915 0000:00:02.0: [drm] Finished loading DMC firmware",
		"audit: type=1400 audit(1): apparmor=\"DENIED\" profile=\"firefox\"", "e1000e 0000:00:1f.6 eth0: NIC Link is not ready",
	} {
		if e, ok := kernelEvent(message); ok {
			t.Errorf("%s: got %q, want nothing", message, eventText(e))
		}
	}
}

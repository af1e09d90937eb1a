package crash

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// eventText formats an event as kind, program, detail.
func eventText(e report.HostEvent) string {
	return strings.TrimSpace(string(e.Kind) + " " + e.Program + " " + e.Detail)
}

func eventTexts(events []report.HostEvent) []string {
	all := []string{}
	for _, e := range events {
		all = append(all, eventText(e))
	}
	return all
}

func TestKernelMessages(t *testing.T) {
	for message, want := range map[string]string{
		"Out of memory: Killed process 1234 (chrome) total-vm:4000kB, anon-rss:300kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:1kB oom_score_adj:300": "out_of_memory Chrome ",
		"Out of memory: Kill process 1234 (Web Content) score 500 or sacrifice child":                                                                       "out_of_memory Firefox",
		"Memory cgroup out of memory: Killed process 7 (zoom) total-vm:1kB, anon-rss:1kB":                                                                   "out_of_memory Zoom",
		"Memory cgroup out of memory: Killed process 7 (mysqld) total-vm:1kB, anon-rss:1kB":                                                                 "",
		"Out of memory: Killed process 8 ((sd-pam)) total-vm:1kB":                                                                                           "out_of_memory",
		"Out of memory (oom_kill_allocating_task): Killed process 8 (anna) total-vm:1kB":                                                                    "out_of_memory",
		"Isolated Web Co[4711]: segfault at 10 ip 00007f sp 00007f error 4 in libxul.so[7f+4000]":                                                           "client_crashed Firefox sigsegv",
		"anna-diary[4711]: segfault at 10 ip 00007f sp 00007f error 4":                                                                                      "",
		"traps: chromium[4711] trap int3 ip:55 sp:7f error:0 in chromium[55+9000]":                                                                          "client_crashed Chromium int3",
		"traps: zoom[99] trap invalid opcode ip:55 sp:7f error:0":                                                                                           "client_crashed Zoom invalid_opcode",
		"traps: msedge[99] general protection fault ip:55":                                                                                                  "client_crashed Edge general_protection",
		"PM: suspend entry (deep)":           "sleep  deep",
		"PM: suspend entry (s2idle)":         "sleep  s2idle",
		"PM: suspend exit":                   "resume",
		"PM: hibernation: hibernation entry": "sleep",
		"PM: hibernation: hibernation exit":  "resume",
		"wlan0: deauthenticated from 02:00:00:00:00:00 (Reason: 15=4WAY_HANDSHAKE_TIMEOUT)":          "wifi_dropped  reason_15",
		"wlp3s0: deauthenticating from 02:00:00:00:00:00 by local choice (Reason: 3=DEAUTH_LEAVING)": "link_changed  switched_off",
		"wlan0: disassociated from 02:00:00:00:00:00 (Reason: 8=DISASSOC_STA_HAS_LEFT)":              "wifi_dropped  reason_8",
		"wlan0: Connection to AP 02:00:00:00:00:00 lost":                                             "wifi_dropped  access_point_lost",
		"wlan0: associated":                                                           "link_changed  up",
		"e1000e 0000:00:1f.6 eno1: NIC Link is Down":                                  "link_changed  down",
		"r8169 0000:02:00.0 eth0: Link is Up - 1Gbps/Full - flow control":             "link_changed  up",
		"i915 0000:00:02.0: [drm] GPU HANG: ecode 9:1:85dffffb, in chrome [1234]":     "gpu_reset",
		"amdgpu 0000:03:00.0: amdgpu: GPU reset begin!":                               "gpu_reset",
		"[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, signaled seq=1": "gpu_reset",
		"NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus.":          "gpu_reset  xid_79",
		"wireplumber[1622]: segfault at 8 ip 00007f error 4 in libc.so.6":             "sound_crashed  sigsegv",
		"traps: pipewire-pulse[1623] trap int3 ip:0 sp:0 error:0":                     "sound_crashed  int3",
		"pipewire-chooser[9]: segfault at 0 ip 0 sp 0 error 4":                        "",
		"usb 1-2: USB disconnect, device number 5":                                    "",
		"": "",
	} {
		e, ok := kernelEvent(message)
		if got := eventText(e); ok != (want != "") || got != strings.TrimSpace(want) {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

func TestKernelRecord(t *testing.T) {
	up, message, ok := parseKernelRecord("3,812,90000000,-;PM: suspend exit\n SUBSYSTEM=x")
	if !ok || message != "PM: suspend exit" || up != 90*time.Second {
		t.Errorf("got %v, %q at %v; want the message at 90 s", ok, message, up)
	}
	for _, broken := range []string{"", ";", "3;PM: suspend exit", "3,1,x,-;PM: suspend exit", "3,1,-5,-;PM: suspend exit", "3,1,9223372036854775807,-;PM: suspend exit"} {
		if _, message, ok := parseKernelRecord(broken); ok {
			t.Errorf("%q: got %q, want nothing", broken, message)
		}
	}
}

func TestJournal(t *testing.T) {
	lines := strings.Join([]string{
		`{"__REALTIME_TIMESTAMP":"1772438400000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"Isolated Web Co","COREDUMP_EXE":"/usr/lib/firefox/firefox","COREDUMP_SIGNAL":"11","COREDUMP_SIGNAL_NAME":"SIGSEGV","MESSAGE":"x"}`,
		`{"__REALTIME_TIMESTAMP":"1772438401000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"zoom","COREDUMP_SIGNAL":"6","MESSAGE":[1,2,255]}`,
		`{"__REALTIME_TIMESTAMP":"1772438402000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"tagebuch-anna","COREDUMP_SIGNAL":"6"}`,
		`{"__REALTIME_TIMESTAMP":"1772438403000000","MESSAGE_ID":"6bbd95ee977941e497c48be27c254128","MESSAGE":"Entering sleep state 'suspend'..."}`,
		`{"__REALTIME_TIMESTAMP":"1772438404000000","MESSAGE_ID":"8811e6df2a8e40f58a94cea26f8ebf14"}`,
		`{"__REALTIME_TIMESTAMP":"1772438405000000","_TRANSPORT":"kernel","MESSAGE":"wlan0: Connection to AP 02:00:00:00:00:00 lost"}`,
		`{"__REALTIME_TIMESTAMP":"1772438406000000","__MONOTONIC_TIMESTAMP":"6056206","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"systemd-journald","MESSAGE":"File /var/log/journal/x/system.journal corrupted or uncleanly shut down, renaming and replacing."}`,
		`{"__REALTIME_TIMESTAMP":"1772438407000000","MESSAGE_ID":"d989611b15e44c9dbf31e3c81256e4ed","MESSAGE":"app-gnome-firefox-2101.scope: systemd-oomd killed 12 process(es) in this unit."}`,
		`{"__REALTIME_TIMESTAMP":"x","_TRANSPORT":"kernel","MESSAGE":"PM: suspend exit"}`,
		`not json`, ``, `[]`, `{"__REALTIME_TIMESTAMP":["1772438405000000"]}`,
		`{"MESSAGE":"` + strings.Repeat("x", maxJournalLine) + `"}`,
		`{"__REALTIME_TIMESTAMP":"1772438408000000","_TRANSPORT":"kernel","MESSAGE":"PM: suspend exit"}`,
	}, "\n")
	events, err := parseJournal(strings.NewReader(lines), nil)
	want := []string{
		"client_crashed Firefox sigsegv", "client_crashed Zoom signal_6", "sleep", "resume",
		"wifi_dropped  access_point_lost", "unexpected_shutdown", "out_of_memory Firefox oomd", "resume",
	}
	if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got error %v, %q; want %q", err, got, want)
	}
	if at := time.UnixMicro(1772438400000000); len(events) > 0 && !events[0].At.Equal(at) {
		t.Errorf("got time %v, want %v", events[0].At, at)
	}
}

// TestAJournalThatWasNotClosed: journald writes to the kernel's log, from where its message is imported.
// The same text appears at the first sign-in of a person, and when journald itself was killed.
func TestAJournalThatWasNotClosed(t *testing.T) {
	const line = `{"__REALTIME_TIMESTAMP":"1772438406000000","__MONOTONIC_TIMESTAMP":%s,"_TRANSPORT":"%s","SYSLOG_IDENTIFIER":"%s","MESSAGE":"File /var/log/journal/0123456789abcdef0123456789abcdef/%s corrupted or uncleanly shut down, renaming and replacing."}`
	for name, c := range map[string]struct {
		monotonic, transport, identifier, file string
		want                                   int
	}{
		"the system's, at the start": {`"6056206"`, "kernel", "systemd-journald", "system.journal", 1},
		"not through the kernel":     {`"37749084"`, "driver", "systemd-journald", "system.journal", 1},
		"a person's":                 {`"6056206"`, "kernel", "systemd-journald", "user-1000.journal", 0},
		"another file":               {`"6056206"`, "kernel", "systemd-journald", "my-system.journal", 0},
		"journald was killed":        {`"3600000000"`, "kernel", "systemd-journald", "system.journal", 0},
		"unknown time since start":   {`null`, "kernel", "systemd-journald", "system.journal", 0},
		"another sender":             {`"6056206"`, "kernel", "kernel", "system.journal", 0},
		"text of a program":          {`"6056206"`, "syslog", "systemd-journald", "system.journal", 0},
	} {
		events, err := parseJournal(strings.NewReader(fmt.Sprintf(line, c.monotonic, c.transport, c.identifier, c.file)), nil)
		if err != nil || len(events) != c.want || c.want == 1 && events[0].Kind != report.EventUnexpectedShutdown {
			t.Errorf("%s: got %+v, %v; want %d of unexpected_shutdown", name, events, err, c.want)
		}
	}
}

// TestTimeOfACoreDump: the journal has the entry when the core is written, which may take long. The
// crash has the time in COREDUMP_TIMESTAMP, as in the file's name and in the kernel's message.
func TestTimeOfACoreDump(t *testing.T) {
	const line = `{"__REALTIME_TIMESTAMP":"1772438440500000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"zoom","COREDUMP_SIGNAL_NAME":"SIGSEGV","COREDUMP_TIMESTAMP":%s}`
	for timestamp, want := range map[string]int64{
		`"1772438400000000"`:           1772438400000000,
		`"1772438440000000"`:           1772438440000000,
		`"1772438441000000"`:           1772438440500000, // after the entry: the clock was set back
		`"86400000000"`:                1772438440500000, // before the clock was set
		`"-9223372036854775808"`:       1772438440500000,
		`"99999999999999999999"`:       1772438440500000,
		`"x"`:                          1772438440500000,
		`null`:                         1772438440500000,
		`["1772438400000000", "9999"]`: 1772438440500000,
	} {
		events, err := parseJournal(strings.NewReader(fmt.Sprintf(line, timestamp)), nil)
		if err != nil || len(events) != 1 || !events[0].At.Equal(time.UnixMicro(want)) {
			t.Errorf("%s: got %+v, %v; want one event at %v", timestamp, events, err, time.UnixMicro(want))
		}
	}
	if args := strings.Join(journalArgs(time.Unix(0, 0)), " "); !strings.Contains(args, ",COREDUMP_TIMESTAMP,") {
		t.Errorf("got arguments %q; want the field COREDUMP_TIMESTAMP", args)
	}
}

// TestJournalArgs checks that no personal data is read.
func TestJournalArgs(t *testing.T) {
	args := strings.Join(journalArgs(time.Unix(1772438400, 0)), " ")
	for _, private := range []string{"ENVIRON", "CMDLINE", "CWD", "HOSTNAME"} {
		if strings.Contains(args, private) {
			t.Errorf("the journal arguments contain the private field %s", private)
		}
	}
	if !strings.Contains(args, "--output-fields=") || !strings.Contains(args, "--since=@1772438400") {
		t.Errorf("got arguments %q; want it to contain %q and %q", args, "--output-fields=", "--since=@1772438400")
	}
}

func TestCoreNames(t *testing.T) {
	for name, want := range map[string]string{
		"core.firefox.1000.0123456789abcdef0123456789abcdef.4711.1772438400000000.zst":               "client_crashed Firefox dump",
		"core.zoom.1000.0123456789abcdef0123456789abcdef.4711.1772438400000000.lz4":                  "client_crashed Zoom dump",
		"core.chrome.1000.0123456789abcdef0123456789abcdef.4711.1772438400":                          "client_crashed Chrome dump",
		`core.Isolated\x20Web\x20Co.1000.0123456789abcdef0123456789abcdef.4711.1772438400000000.zst`: "client_crashed Firefox dump",
		"core.tagebuch.1000.0123456789abcdef0123456789abcdef.4711.1772438400000000.zst":              "",
		"core.zoom": "", "": "", "core": "",
	} {
		e, ok := readCoredumpName(name)
		if !ok {
			e = report.HostEvent{}
		}
		if eventText(e) != want || ok && e.At.Unix() != 1772438400 {
			t.Errorf("%q: got %q at %v, want %q", name, eventText(e), e.At, want)
		}
	}
	for name, want := range map[string]string{
		"_usr_lib_firefox_firefox.1000.crash": "client_crashed Firefox dump",
		"_opt_zoom_zoom.1000.crash":           "client_crashed Zoom dump",
		"_usr_bin_tagebuch.1000.crash":        "",
		"_opt_zoom_zoom.1000.upload":          "",
	} {
		if e, ok := readApportName(name); ok != (want != "") || ok && eventText(e) != want {
			t.Errorf("%q: got %q, want %q", name, eventText(e), want)
		}
	}
}

func TestCorePattern(t *testing.T) {
	for _, c := range []struct{ pattern, file, want string }{
		{"/var/cores/core.%e.%p\n", "core.zoom.123", "client_crashed Zoom dump"},
		{"/var/cores/%t-%u-%E-%s.core", "1772438400-1000-!opt!google!chrome!chrome-11.core", "client_crashed Chrome dump"},
		{"/var/cores/%e%%", "firefox%.4711", "client_crashed Firefox dump"}, // core_uses_pid
		{"/var/cores/core.%e.%p", "core.tagebuch.123", ""},
		{"/var/cores/core.%e.%p", "notes.txt", ""},
	} {
		f, ok := corePattern(c.pattern)
		if !ok || f.path != "/var/cores" {
			t.Errorf("%q: got %v, folder %q; want /var/cores", c.pattern, ok, f.path)
			continue
		}
		if e, ok := f.read(c.file); ok != (c.want != "") || ok && eventText(e) != c.want {
			t.Errorf("%q: %q: got %q, want %q", c.pattern, c.file, eventText(e), c.want)
		}
	}
	for _, pattern := range []string{"core", "", "|/usr/lib/systemd/systemd-coredump %P %u", "/var/%e/core", "/var/cores/core.%p"} {
		if f, ok := corePattern(pattern); ok {
			t.Errorf("%q: got folder %q, want none", pattern, f.path)
		}
	}
}

func TestDiagnosticReports(t *testing.T) {
	for document, want := range map[string]string{
		`{"app_name":"zoom.us","timestamp":"2026-03-02 09:00:00.00 +0100","app_version":"6.1","bug_type":"309","os_version":"macOS 15.1","incident_id":"X","name":"zoom.us"}` + "\n" +
			`{"procName":"zoom.us","exception":{"type":"EXC_BAD_ACCESS","signal":"SIGSEGV"}}`: "client_crashed Zoom sigsegv",
		`{"name":"Safari Web Content","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}` + "\n" + `{"procName":"com.apple.WebKit.WebContent","exc`:                                                           "client_crashed Safari",
		`{"name":"Google Chrome Helper","app_name":"Google Chrome Helper","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}`:                                                                                 "client_crashed Chrome",
		`{"name":"Tagebuch","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}`:                                                                                                                               "",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"210"}`:                                                                                                                                                 "bluescreen",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"288","os_version":"macOS 26.5"}` + "\n" + `{"reason":"sysdiagnose","processByPid":{"1":{"procname":"launchd"}}}`:                                       "", // requested by a person
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"288"}` + "\n" + `{"panicString":"panic(cpu 1 caller 0x1): x"}`:                                                                                         "bluescreen",
		`{"bug_type":"210","timestamp":"2026-03-02 09:00:00.00 +0100","os_version":"macOS 26.1","incident_id":"X"}` + "\n" + `{"panicString":"panic(cpu 3): watchdog timeout"}`:                                         "bluescreen",
		`{"bug_type":"284","timestamp":"2026-03-02 09:00:00.00 +0100","os_version":"macOS 27.2"}` + "\n" + `{"process_name":"tagebuch","analysis":{"guilty_dm":3}}`:                                                     "gpu_reset",
		`{"bug_type":"211","timestamp":"2026-03-02 09:00:00.00 +0100"}` + "\n" + `{"_marker":"<metadata>"}`:                                                                                                             "", // analytics
		`{"bug_type":"385","timestamp":"2026-03-02 09:00:00.00 +0100","name":"firefox"}` + "\n" + `{"procName":"firefox"}`:                                                                                              "", // a limit, not a crash
		`{"bug_type":"298","timestamp":"2026-03-02 09:00:00.00 +0100","os_version":"macOS 26.4"}` + "\n" + `{"largestProcess":"Google Chrome Helper (Renderer)","processes":[{"name":"x","reason":"vm-pageshortage"}]}`: "out_of_memory",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"firefox","processes":[{"name":"mds","reason":"per-process-limit"},{"name":"firefox"}]}`:                            "", // a limit of its own
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"mds","processes":[{"name":"zoom.us","reason":"per-process-limit"}]}`:                                               "out_of_memory Zoom",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"mds","processes":[{"name":"mds","reason":"vm-compressor-space-shortage"}]}`:                                        "out_of_memory",
		hangText("zoom.us", "hang", "7.23s"):                                                                     "client_hung Zoom",
		hangText("firefox", "hang", "1.06s"):                                                                     "",
		hangText("firefox", "force quit", "2.00s"):                                                               "client_hung Firefox",
		hangText("firefox", "cpu usage", "97.0s"):                                                                "",
		hangText("Tagebuch", "hang", "60s"):                                                                      "",
		strings.ReplaceAll(hangText("zoom.us", "hang", "x"), "\n", "\r\n"):                                       "client_hung Zoom",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"firefox"}`:  "out_of_memory",
		`{"name":"firefox","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":309}`:                           "client_crashed Firefox",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"tagebuch"}`: "out_of_memory",
		`{"caused_by":"macos","macos_system_state":"running","bug_type":"210","timestamp":"2026-03-02 09:00:00.00 +0100"}` + "\npanic(cpu 0 caller 0x1): x":                         "bluescreen",
		"Process: firefox [9]\r\nIdentifier: org.mozilla.firefox\r\nDate/Time: 2026-03-02 09:00:00.000 +0100\r\nException Type: EXC_BAD_ACCESS (SIGSEGV)\r\n":                       "client_crashed Firefox sigsegv",
		`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"226"}`:                                                                                                             "",
		"Process:               zoom.us [712]\nPath: /Applications/zoom.us.app\nDate/Time:             2026-03-02 09:00:00.000 +0100\nException Type:        EXC_CRASH (SIGABRT)\n": "client_crashed Zoom sigabrt",
	} {
		e, ok, err := parseDiagnosticReport(strings.NewReader(document))
		if err != nil || ok != (want != "") || ok && eventText(e) != want {
			t.Errorf("%.60q: got %v, %q, error %v; want %q", document, ok, eventText(e), err, want)
		}
		if ok && e.At.Unix() != 1772438400 {
			t.Errorf("%.60q: got time %v, want %v", document, e.At, time.Unix(1772438400, 0))
		}
	}
	for _, broken := range []string{"", "{", "{}\n{}", "hello", `{"bug_type":"309","timestamp":"yesterday"}`, "\x00\xff"} {
		if e, ok, err := parseDiagnosticReport(strings.NewReader(broken)); err == nil {
			t.Errorf("%q: got %v, %+v; want an error", broken, ok, e)
		}
	}
}

// hangText returns the head of a report of spindump(8).
func hangText(command, event, duration string) string {
	return "Date/Time:        2026-03-02 09:00:00.615 +0100\nEnd time:         2026-03-02 09:00:07.846 +0100\nOS Version:       macOS 12.7.6 (Build 21H1320)\n" +
		"Report Version:   35.1\n\nData Source:      Stackshots\n\nCommand:          " + command + "\nPath:             /Users/USER/Desktop/*/" + command + "\n" +
		"Parent:           bash [27378]\nResponsible:      firefox [584]\nPID:              27952\n\nEvent:            " + event + "\nDuration:         " + duration + "\n" +
		"Duration Sampled: 4.90s (process was unresponsive for 2 seconds before sampling)\n\nProcess:          firefox [27952]\n"
}

// TestDurationOfAHang: it is as long as the report says.
func TestDurationOfAHang(t *testing.T) {
	for text, want := range map[string]float64{"7.23s": 7.23, "100000h": 86400} {
		e, ok, err := parseDiagnosticReport(strings.NewReader(hangText("zoom.us", "hang", text)))
		if err != nil || !ok || e.DurationS == nil || *e.DurationS != want || !e.Valid() {
			t.Errorf("%s: got %+v, %v, %v; want %v s", text, e, ok, err, want)
		}
	}
}

func TestErrorReportNames(t *testing.T) {
	for name, want := range map[string]string{
		"AppCrash_Zoom.exe_8f2b_0_1a2b_d4":  "client_crashed Zoom dump",
		"AppHang_chrome.exe_8f2b_0_1a2b_d4": "client_hung Chrome",
		"AppCrash_tagebuch.exe_8f2b_0_1a2b": "",
		"Kernel_0_0_cab":                    "",
		"AppCrash_Zoom.exe":                 "", // truncated
		"":                                  "",
	} {
		if e, ok := readErrorReportName(name); ok != (want != "") || ok && eventText(e) != want {
			t.Errorf("%q: got %q, want %q", name, eventText(e), want)
		}
	}
}

// reportable is the form that a report allows for a detail.
var reportable = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

func FuzzParsers(f *testing.F) {
	f.Add("Out of memory: Killed process 9 (firefox) total-vm:1kB")
	f.Add(`{"app_name":"zoom.us","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}` + "\n{}")
	f.Add(winDocument("Application Error", 1000, "Zoom.exe"))
	f.Add(hangText("zoom.us", "hang", "7.23s"))
	f.Add(winDocument("User32", 1074, `param1=C:\\Windows\\uus\\AMD64\\MoUsoCoreWorker.exe (PC)`))
	f.Add("core.zoom.1000.0123456789abcdef0123456789abcdef.4711.1772438400000000.zst")
	f.Add("/var/cores/core.%e.%p")
	f.Add(`{"__REALTIME_TIMESTAMP":"1772438400000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"zoom","COREDUMP_SIGNAL_NAME":"_x"}`)
	f.Add(`{"__REALTIME_TIMESTAMP":"1772438440000000","MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_COMM":"zoom","COREDUMP_TIMESTAMP":"1772438400000000"}`)
	f.Add(`{"__REALTIME_TIMESTAMP":"1772438406000000","__MONOTONIC_TIMESTAMP":"6056206","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"systemd-journald","MESSAGE":"File /x/system.journal corrupted or uncleanly shut down, renaming and replacing."}`)
	f.Add("3,812,90000000,-;traps: zoom[99] trap invalid opcode ip:55 sp:7f error:0")
	f.Add("wlan0: deauthenticated from 02:00:00:00:00:00 (Reason: 15=4WAY_HANDSHAKE_TIMEOUT)")
	f.Add("AppCrash_Zoom.exe_8f2b_0_1a2b_d4")
	f.Add(`{"__REALTIME_TIMESTAMP":"1772438407000000","MESSAGE_ID":"d989611b15e44c9dbf31e3c81256e4ed","MESSAGE":"app-gnome-google\\x2dchrome-6442.scope: systemd-oomd killed some process(es) in this unit."}`)
	f.Add(`{"__REALTIME_TIMESTAMP":"1772438408000000","_TRANSPORT":"kernel","MESSAGE":"NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus."}`)
	f.Add(`{"timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"298"}` + "\n" + `{"largestProcess":"firefox"}`)
	f.Add(`{"name":"firefox","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":309}` + "\n" + `{"exception":{"signal":"SIGSEGV"}}`)
	f.Add("Process: zoom.us [712]\r\nDate/Time: 2026-03-02 09:00:00.000 +0100\r\nException Type: EXC_CRASH (SIGABRT)\r\n")
	f.Add(winDocument("Application Error", 1000, "chrome.exe", "120.0", "5f", "ntdll.dll", "10.0", "60", "0xc0000409", "000a"))
	f.Add(winDocument("Windows Error Reporting", 1001, "EventName=LiveKernelEvent", "P1=141"))
	f.Add(winDocument("Windows Error Reporting", 1001, "EventName=APPCRASH", "P1=Zoom.exe", "ReportId={8d4e3b5a-0000-4a4b-8c1d-2e3f40515253}"))
	f.Add(winDocument("Windows Error Reporting", 1001, "1", "4", "BEX64", "n", "0", "msedge.exe", "120", "5f", "x.dll", "1", "60", "0", "c0000409"))
	f.Add(winDocument("Microsoft-Windows-Kernel-Power", 41, "BugcheckCode=159", "SleepInProgress=0", "PowerButtonTimestamp=133"))
	f.Add(winDocument("Microsoft-Windows-WLAN-AutoConfig", 8003, "FailureReason=The network is disconnected by the driver."))
	f.Add(winDocument("Microsoft-Windows-Power-Troubleshooter", 1, "SleepTime=2026-03-02T07:00:00Z", "WakeTime=2026-03-02T08:00:00Z"))
	f.Fuzz(func(t *testing.T, s string) {
		var events []report.HostEvent
		add := func(e report.HostEvent, ok bool) {
			if ok {
				events = append(events, e)
			}
		}
		add(kernelEvent(s))
		var kernel kernelReader
		for i, line := range strings.Split(s, "\n") {
			up, message, ok := parseKernelRecord(line)
			if !ok {
				message = line
			}
			at := time.Unix(int64(i), 0).Add(up)
			kernel.add(at, up, message)
			kernel.addSupplicant(at, message)
		}
		events = append(events, kernel.all()...)
		add(readCoredumpName(s))
		add(readApportName(s))
		add(readErrorReportName(s))
		for _, place := range append(crashpad("", "Chrome"), breakpad("")...) {
			add(place.read(s))
		}
		if place, ok := corePattern(s); ok {
			add(place.read(s))
		}
		e, ok, err := parseDiagnosticReport(strings.NewReader(s))
		add(e, ok && err == nil)
		found, _ := parseJournal(strings.NewReader(s), nil)
		events = append(events, found...)
		record, _ := parseWinEvent(s)
		events = append(events, winEvents([]winRecord{record, record}, time.Time{})...)
		for _, e := range events {
			if e.Program != "" && report.ProgramName(e.Program) != e.Program {
				t.Errorf("%q: got program %q, want one of report.Programs", s, e.Program)
			}
			if e.Detail != "" && !reportable.MatchString(e.Detail) {
				t.Errorf("%q: got detail %q, want the form of a report", s, e.Detail)
			}
			e.At = time.Unix(1772438400, 0).UTC() // others are outside of the period that is read
			if !e.Valid() {
				t.Errorf("%q: a report cannot hold %+v", s, e)
			}
		}
	})
}

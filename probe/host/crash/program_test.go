package crash

import (
	"testing"
)

// TestProgramsByPath: a core dump names the file, whose name a distribution chooses.
func TestProgramsByPath(t *testing.T) {
	for _, c := range []struct{ exe, comm, want string }{
		{"/usr/lib/firefox-esr/firefox-esr", "StreamTrans #12", "Firefox"},
		{"/usr/lib/firefox/firefox (deleted)", "Compositor", "Firefox"},
		{"/snap/firefox/4793/usr/lib/firefox/firefox-bin", "", "Firefox"},
		{"/snap/chromium/2900/usr/lib/chromium-browser/chrome", "chrome", "Chromium"},
		{"/app/chromium/chrome", "chrome", "Chromium"},
		{"/usr/lib/chromium/chromium", "chromium", "Chromium"},
		{"/opt/google/chrome/chrome (deleted)", "ThreadPoolForeg", "Chrome"},
		{"/opt/microsoft/msedge/msedge", "msedge", "Edge"},
		{"/opt/teams-for-linux/teams-for-linux", "teams-for-linux", "Teams"},
		{"/opt/Webex/bin/CiscoCollabHost", "CiscoCollabHost", "Webex"},
		{`C:\Users\Anna\AppData\Local\WebEx\WebexHost.exe`, "", "Webex"},
		{"/opt/zoom/ZoomWebviewHost", "", "Zoom"},
		{"/opt/zoom/zoom.real", "", "Zoom"},
		{"/app/extra/zoom/zoom", "zoom", "Zoom"},
		{"/opt/Jitsi Meet/jitsi-meet", "jitsi-meet", "Jitsi"},
		{"", "file:// Content", "Firefox"},
		{"/home/anna/chromium-notes/tagebuch", "tagebuch", ""},
		{"/usr/bin/firewalld", "firewalld", ""},
		{"/home/anna/zoom/tagebuch", "tagebuch", ""},
	} {
		if got := program(c.exe, c.comm); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.exe, c.comm, got, c.want)
		}
	}
	for name, want := range map[string]string{
		"_usr_lib_firefox-esr_firefox-esr.1000.crash":                    "client_crashed Firefox dump",
		"_usr_lib_chromium-browser_chromium-browser.1000.crash":          "client_crashed Chromium dump",
		"_opt_teams-for-linux_teams-for-linux.1000.crash":                "client_crashed Teams dump",
		"_snap_chromium_2900_usr_lib_chromium-browser_chrome.1000.crash": "client_crashed Chromium dump",
	} {
		if e, ok := readApportName(name); !ok || eventText(e) != want {
			t.Errorf("%q: got %v, %q; want %q", name, ok, eventText(e), want)
		}
	}
}

// TestProcessesOfOtherPrograms: Thunderbird and Electron programs use the names of Firefox and Chrome, and
// some files beside a program begin with its name.
func TestProcessesOfOtherPrograms(t *testing.T) {
	for _, c := range []struct{ exe, comm, want string }{
		{"/usr/share/code/code", "Chrome_ChildIOT", ""},
		{"/opt/Signal/signal-desktop", "Chrome_IOThread", ""},
		{"/usr/share/code/chrome_crashpad_handler", "chrome_crashpad", ""},
		{"/opt/google/chrome/chrome_crashpad_handler", "chrome_crashpad", ""},
		{"/usr/share/slack/chrome-sandbox", "chrome-sandbox", ""},
		{"/usr/bin/python3.11", "chrome-gnome-sh", ""},
		{"/usr/lib/thunderbird/thunderbird", "Web Content", ""},
		{"/usr/lib/thunderbird/thunderbird-bin", "GeckoMain", ""},
		{"/usr/bin/firefoxpwa", "firefoxpwa", ""},
		{"", "Chrome_InProcGp", ""},
		{"", "chrome_crashpad", ""},
		{"", "Firefox Installer.exe", ""},
		{"", "opera_crashreporter.exe", ""},
		{"", "Chrome Remote Desktop Host", ""},
		{"/opt/google/chrome/chrome", "Chrome_ChildIOT", "Chrome"},
		{"/usr/lib/firefox/firefox", "Web Content", "Firefox"},
		{"/nix/store/0-firefox-128/lib/firefox/.firefox-wrapped", ".firefox-wrappe", "Firefox"},
		{"", "FirefoxCP Isolated Web Content", "Firefox"},
		{"", "plugin-container.exe", "Firefox"},
		{"", "Web Content", "Firefox"},
	} {
		if got := program(c.exe, c.comm); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.exe, c.comm, got, c.want)
		}
	}
}

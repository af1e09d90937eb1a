package crash

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// program identifies a program by the names of its process in the system's records:
// that of its file, possibly with its path, or the one set by the process itself (prctl(2) PR_SET_NAME, at
// most 15 bytes). After a path the other names do not count: Thunderbird and Electron programs give their
// processes and threads the same names as Firefox and Chrome do.
func program(names ...string) string {
	for _, name := range names {
		if known := programOf(name); known != "" {
			return known
		}
		if strings.HasPrefix(name, "/") {
			return ""
		}
	}
	return ""
}

func programOf(name string) string {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if base == "" || isBesideProgram(base) {
		return ""
	}
	known := report.ProgramName(name)
	switch {
	case known == "Chrome" && strings.Contains(name, "/chromium"): // the file is chrome in snap and Flatpak
		return "Chromium"
	case known != "":
		return known
	case isFirefoxProcess(name), isFirefoxFile(base):
		return "Firefox"
	case strings.HasPrefix(base, "chromium"):
		return "Chromium"
	case strings.HasPrefix(base, "ZoomWebview"), strings.HasPrefix(base, "zoom.us"), strings.HasPrefix(base, "caphost"):
		return "Zoom"
	case strings.HasPrefix(base, webKit):
		return "Safari"
	}
	return ""
}

// isBesideProgram reports whether a process is named after a program but is not part of it: a thread of any
// Electron program ("Chrome_ChildIOT"), its crash handler and sandbox ("chrome_crashpad_handler",
// "chrome-sandbox"), an installer, or a service that remains when the program ends.
func isBesideProgram(base string) bool {
	if strings.HasPrefix(base, "Chrome_") {
		return true
	}
	base = strings.ToLower(base)
	return slices.ContainsFunc([]string{"crashpad", "crashreporter", "sandbox", "installer", "setup", "autoupdate", "chrome-gnome", "chrome-remote", "chrome remote"},
		func(word string) bool { return strings.Contains(base, word) })
}

// isFirefoxFile reports whether a name begins with that of a file of Firefox. macOS shows its processes for
// pages as "FirefoxCP Isolated Web Content".
func isFirefoxFile(base string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(base, "."), "firefox")
	return ok && (rest == "" || strings.ContainsAny(rest[:1], "-._")) ||
		strings.HasPrefix(base, "FirefoxCP ") || strings.HasPrefix(base, pluginContainer)
}

// pluginContainer is the beginning of the names of the processes that work for Firefox and Thunderbird.
const pluginContainer = "plugin-contain"

// webKit is the beginning of the names of the processes that show pages for Safari, and for other programs
// with parts of the web.
const webKit = "com.apple.WebKit"

// isFirefoxProcess reports whether a process has a name that Firefox gives to those of its pages and
// services. Some are longer than the kernel keeps.
func isFirefoxProcess(name string) bool {
	switch name {
	case "Web Content", "WebExtensions", "Privileged Cont", "WebCOOP+COEP Co", "file:// Content", "GeckoMain",
		"Socket Process", "RDD Process", "Utility Process":
		return true
	}
	return len(name) >= len("Isolated") &&
		(strings.HasPrefix("Isolated Web Content", name) || strings.HasPrefix("Isolated Service Worker", name))
}

// crashed returns the crash of a conference program, or of the sound system, whose end takes the sound from
// all programs; ok is false for other programs. The names are as for program.
func crashed(detail string, names ...string) (e report.HostEvent, ok bool) {
	if p := program(names...); p != "" {
		return report.HostEvent{Kind: report.EventClientCrashed, Program: p, Detail: detail}, true
	}
	if slices.ContainsFunc(names, isSoundSystem) {
		return report.HostEvent{Kind: report.EventSoundCrashed, Detail: detail}, true
	}
	return report.HostEvent{}, false
}

// isSoundSystem reports whether a process belongs to the sound system of Linux, Windows or macOS. Windows
// names its services after the process that runs them.
func isSoundSystem(name string) bool {
	switch strings.ToLower(name[strings.LastIndexAny(name, `/\`)+1:]) {
	case "pipewire", "pipewire-pulse", "wireplumber", "pulseaudio",
		"audiodg.exe", "svchost.exe_audiosrv", "svchost.exe_audioendpointbuilder", "coreaudiod":
		return true
	}
	return false
}

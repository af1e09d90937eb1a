package crash

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// program identifies a program by the names of its process in the system's records:
// that of its file, or the one set by the process itself (prctl(2) PR_SET_NAME, at
// most 15 bytes).
func program(names ...string) string {
	for _, name := range names {
		if known := report.ProgramName(name); known != "" {
			return known
		}
		switch {
		case name == "":
		case strings.HasPrefix("Isolated Web Content", name) && len(name) >= len("Isolated"),
			name == "Web Content", name == "WebExtensions", name == "Privileged Cont", name == "GeckoMain",
			strings.HasPrefix(name, "firefox"), strings.HasPrefix(name, "plugin-contain"):
			return "Firefox"
		case strings.HasPrefix(name, "chrome_"), strings.HasPrefix(name, "chrome-"):
			return "Chrome"
		case strings.HasPrefix(name, "chromium"):
			return "Chromium"
		case strings.HasPrefix(name, "ZoomWebview"), strings.HasPrefix(name, "zoom.us"), strings.HasPrefix(name, "caphost"):
			return "Zoom"
		case strings.HasPrefix(name, "com.apple.WebKit"):
			return "Safari"
		}
	}
	return ""
}

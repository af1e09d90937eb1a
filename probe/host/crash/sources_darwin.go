package crash

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func sources() []source {
	homes := homes("/Users/*", os.Geteuid())
	return []source{
		{name: "diagnostic_reports", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readDiagnosticReports(ctx, reportFolders(homes), since)
		}},
		{name: "crash_folders", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, eachHome(homes, crashFolders), since)
		}},
	}
}

func crashFolders(home string) (all []folder) {
	support := filepath.Join(home, "Library/Application Support")
	for _, b := range []browserDir{
		{"Google/Chrome/Crashpad", "Chrome"}, {"Microsoft Edge/Crashpad", "Edge"}, {"Chromium/Crashpad", "Chromium"},
		{"BraveSoftware/Brave-Browser/Crashpad", "Brave"}, {"Vivaldi/Crashpad", "Vivaldi"},
	} {
		all = append(all, crashpad(filepath.Join(support, b.path), b.program)...)
	}
	all = append(all, breakpad(filepath.Join(support, "Firefox/Crash Reports"))...)
	return append(all, dumps(filepath.Join(home, "Library/Logs/zoom.us"), "Zoom"))
}

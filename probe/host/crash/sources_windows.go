package crash

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func sources() []source {
	local, roaming, shared := os.Getenv("LOCALAPPDATA"), os.Getenv("APPDATA"), os.Getenv("PROGRAMDATA")
	return []source{
		{name: "event_log", read: readEventLog},
		// Their folders change when a report is sent, hours after the crash.
		{name: "error_reports", insteadOf: "event_log", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, errorReportFolders(local, shared), since)
		}},
		{name: "crash_folders", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, crashFolders(local, roaming), since)
		}},
	}
}

func errorReportFolders(local, shared string) (all []folder) {
	for _, base := range []string{local, shared} {
		if base == "" {
			continue
		}
		for _, name := range []string{"ReportArchive", "ReportQueue"} {
			all = append(all, folder{filepath.Join(base, "Microsoft", "Windows", "WER", name), readErrorReportName})
		}
	}
	return all
}

func crashFolders(local, roaming string) (all []folder) {
	if local != "" {
		for _, b := range []browserDir{
			{`Google\Chrome\User Data\Crashpad`, "Chrome"}, {`Microsoft\Edge\User Data\Crashpad`, "Edge"},
			{`Chromium\User Data\Crashpad`, "Chromium"}, {`BraveSoftware\Brave-Browser\User Data\Crashpad`, "Brave"},
			{`Vivaldi\User Data\Crashpad`, "Vivaldi"},
		} {
			all = append(all, crashpad(filepath.Join(local, b.path), b.program)...)
		}
	}
	if roaming != "" {
		all = append(all, breakpad(filepath.Join(roaming, "Mozilla", "Firefox", "Crash Reports"))...)
		all = append(all, dumps(filepath.Join(roaming, "Zoom", "logs"), "Zoom"))
	}
	return all
}

package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// reportFolders returns the folders of macOS with reports. Those that were sent to Apple are in Retired.
func reportFolders(homes []string) (all []string) {
	for _, home := range append([]string{"/"}, homes...) {
		folder := filepath.Join(home, "Library/Logs/DiagnosticReports")
		all = append(all, folder, filepath.Join(folder, "Retired"))
	}
	return all
}

// readDiagnosticReports reads reports of macOS in several folders. It returns
// errAbsent if none of them exists.
func readDiagnosticReports(ctx context.Context, folders []string, since time.Time) ([]report.HostEvent, error) {
	var events []report.HostEvent
	var failed error
	exists := false
	for _, path := range folders {
		entries, err := list(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		exists = true
		if err != nil {
			failed = err
			continue
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return events, fmt.Errorf("read diagnostic reports: %w", err)
			}
			switch filepath.Ext(entry.Name()) {
			case ".ips", ".crash", ".panic", ".hang", ".spin", ".gpuRestart":
			default:
				continue
			}
			info, err := entry.Info()
			if err != nil || !info.Mode().IsRegular() || info.ModTime().Before(since) {
				continue
			}
			e, ok, err := readDiagnosticReport(filepath.Join(path, entry.Name()))
			if errors.Is(err, errNoReport) {
				e, ok, err = byExtension(entry.Name(), info.ModTime())
			}
			if err == nil && ok {
				events = append(events, e)
			}
		}
	}
	if !exists {
		return nil, errAbsent
	}
	return events, failed
}

func readDiagnosticReport(path string) (report.HostEvent, bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return report.HostEvent{}, false, fmt.Errorf("open a diagnostic report: %w", err)
	}
	defer f.Close()
	return parseDiagnosticReport(f)
}

// byExtension returns the event of a report whose text has no time of its own: a panic before macOS
// 10.15, or a reset of the graphics.
func byExtension(name string, at time.Time) (e report.HostEvent, ok bool, err error) {
	switch filepath.Ext(name) {
	case ".panic":
		return report.HostEvent{At: at, Kind: report.EventBluescreen}, true, nil
	case ".gpuRestart":
		return report.HostEvent{At: at, Kind: report.EventGPUReset}, true, nil
	}
	return report.HostEvent{}, false, nil
}

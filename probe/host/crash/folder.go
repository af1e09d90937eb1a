package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// folder is a folder in which a crash creates files. Only their names and times are
// read.
type folder struct {
	path string
	// read returns the event of a file; ok is false for other files.
	read func(name string) (report.HostEvent, bool)
}

// dumps returns a folder into which one program writes its dumps.
func dumps(path, program string) folder {
	return folder{path, func(name string) (report.HostEvent, bool) {
		if !strings.EqualFold(filepath.Ext(name), ".dmp") {
			return report.HostEvent{}, false
		}
		return report.HostEvent{Kind: report.EventClientCrashed, Program: program, Detail: detailDump}, true
	}}
}

// maxEntries limits the number of entries to read.
const maxEntries = 5000

// readFolders returns the events of several folders, or errAbsent if none of them
// exists. An event without a time in its file's name has the time of the file.
func readFolders(ctx context.Context, folders []folder, since time.Time) ([]report.HostEvent, error) {
	var events []report.HostEvent
	var failed error
	exists := false
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return events, fmt.Errorf("read crash folders: %w", err)
		}
		entries, err := list(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			exists = true
			failed = err
			continue
		}
		exists = true
		for _, entry := range entries {
			e, ok := f.read(entry.Name())
			if !ok {
				continue
			}
			// Not a link, which could lead anywhere.
			info, err := entry.Info()
			if err != nil || !info.Mode().IsRegular() && !info.IsDir() {
				continue
			}
			if e.At.IsZero() {
				e.At = info.ModTime()
			}
			if e.At.After(since) {
				events = append(events, e)
			}
		}
	}
	if !exists {
		return nil, errAbsent
	}
	return events, failed
}

func list(path string) ([]os.DirEntry, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open a crash folder: %w", err)
	}
	defer d.Close()
	entries, err := d.ReadDir(maxEntries)
	if err != nil && len(entries) == 0 && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read a crash folder: %w", err)
	}
	return entries, nil
}

// browserDir is a browser's data folder below the configuration folder of a user.
type browserDir struct{ path, program string }

// crashpad returns the folders that Crashpad moves a dump through.
func crashpad(base, program string) (all []folder) {
	for _, state := range []string{"new", "pending", "completed", "reports", "attachments"} {
		all = append(all, dumps(filepath.Join(base, state), program))
	}
	return all
}

// breakpad returns the folders of Firefox. A dump that was sent is removed, but the time of the last crash
// of Firefox itself remains in a file.
func breakpad(base string) []folder {
	lastCrash := folder{base, func(name string) (report.HostEvent, bool) {
		return report.HostEvent{Kind: report.EventClientCrashed, Program: "Firefox", Detail: detailDump}, name == "LastCrash"
	}}
	return []folder{dumps(filepath.Join(base, "pending"), "Firefox"), dumps(filepath.Join(base, "submitted"), "Firefox"), lastCrash}
}

package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tonprobe/tonprobe/probe/report"
)

func sources() []source {
	return []source{
		{name: "journal", read: readJournal},
		{name: "kernel_log", read: readKernelLog, insteadOf: "journal"},
		{name: "core_files", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, coreFolders("/"), since)
		}},
		{name: "crash_folders", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, eachHome(homes("/home/*", os.Geteuid()), crashFolders), since)
		}},
		{name: "panic_records", read: func(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
			return readFolders(ctx, []folder{
				{"/sys/fs/pstore", readPanicName}, {"/var/lib/systemd/pstore", readPanicName}, {"/var/crash", readPanicName},
			}, since)
		}},
	}
}

// readJournal runs journalctl. A user who is in neither of the groups adm and
// systemd-journal can read only messages of their own programs.
func readJournal(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
	path, err := exec.LookPath("journalctl")
	if err != nil || !keepsJournal("/") {
		return nil, errAbsent
	}
	cmd := exec.CommandContext(ctx, path, journalArgs(since)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	var said strings.Builder
	cmd.Stderr = limited{&said}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start journalctl: %w", err)
	}
	events, err := parseJournal(out, presentUSB("/"))
	if ended := cmd.Wait(); err == nil && ended != nil {
		err = fmt.Errorf("read the journal: %w", ended)
	}
	return events, journalState(said.String(), err)
}

// keepsJournal reports whether there are files of a journal. Without any, journalctl
// exits with 0 and says nothing in its JSON output, as if nothing had happened.
func keepsJournal(root string) bool {
	for _, base := range []string{"var/log/journal", "run/log/journal"} {
		machines, err := os.ReadDir(filepath.Join(root, base))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return true // a folder that cannot be listed may contain some
		}
		for _, m := range machines {
			files, err := os.ReadDir(filepath.Join(root, base, m.Name()))
			if errors.Is(err, fs.ErrPermission) || slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.Contains(f.Name(), ".journal") }) {
				return true
			}
		}
	}
	return false
}

// journalState derives the error of journalctl from its output: it exits with 0 if
// only a part of the journal could be read.
func journalState(said string, err error) error {
	switch {
	case strings.Contains(said, "insufficient permissions"), strings.Contains(said, "not seeing messages from other users"):
		return fs.ErrPermission
	case strings.Contains(said, "No journal files were found"):
		return errAbsent
	}
	return err
}

// limited is a writer that keeps only the first bytes.
type limited struct{ to *strings.Builder }

func (l limited) Write(p []byte) (int, error) {
	const most = 4096
	if room := most - l.to.Len(); room > 0 {
		l.to.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// readKernelLog reads the kernel's ring buffer, which also exists without systemd.
// Since Linux 4.8 distributions deny access to users (dmesg_restrict).
func readKernelLog(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the kernel's messages: %w", err)
	}
	defer unix.Close(fd)
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &up); err != nil {
		return nil, fmt.Errorf("read the time since the start: %w", err)
	}
	booted := time.Now().Add(-time.Duration(up.Nano()))
	kernel := kernelReader{present: presentUSB("/")}
	buf := make([]byte, 8192) // a record is never larger (CONSOLE_EXT_LOG_MAX)
	for ctx.Err() == nil {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return kernel.all(), nil
		case errors.Is(err, syscall.EPIPE): // overwritten in the meantime
			continue
		case err != nil:
			return kernel.all(), fmt.Errorf("read the kernel's messages: %w", err)
		}
		if up, message, ok := parseKernelRecord(string(buf[:n])); ok && booted.Add(up).After(since) {
			kernel.add(booted.Add(up), up, message)
		}
	}
	return kernel.all(), ctx.Err()
}

// coreFolders returns the folders of core files below a root.
func coreFolders(root string) []folder {
	all := []folder{
		{filepath.Join(root, "var/lib/systemd/coredump"), readCoredumpName},
		{filepath.Join(root, "var/crash"), readApportName},
	}
	pattern, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/core_pattern"))
	if f, ok := corePattern(string(pattern)); err == nil && ok {
		all = append(all, f)
	}
	return all
}

func readPanicName(name string) (report.HostEvent, bool) {
	// dmesg-efi-… of pstore; folders of kdump are named by time.
	return report.HostEvent{Kind: report.EventBluescreen}, strings.HasPrefix(name, "dmesg-")
}

func crashFolders(home string) (all []folder) {
	for _, b := range []browserDir{
		{".config/google-chrome", "Chrome"}, {".config/chromium", "Chromium"}, {".config/microsoft-edge", "Edge"},
		{".config/BraveSoftware/Brave-Browser", "Brave"}, {".config/vivaldi", "Vivaldi"},
		{"snap/chromium/common/chromium", "Chromium"},
		{".var/app/com.google.Chrome/config/google-chrome", "Chrome"},
		{".var/app/org.chromium.Chromium/config/chromium", "Chromium"},
		{".var/app/com.microsoft.Edge/config/microsoft-edge", "Edge"},
	} {
		all = append(all, crashpad(filepath.Join(home, b.path, "Crash Reports"), b.program)...)
	}
	for _, base := range []string{".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox", ".config/mozilla/firefox"} {
		all = append(all, breakpad(filepath.Join(home, base, "Crash Reports"))...)
	}
	for _, base := range []string{".zoom/logs", ".var/app/us.zoom.Zoom/.zoom/logs"} {
		all = append(all, dumps(filepath.Join(home, base), "Zoom"))
	}
	return all
}

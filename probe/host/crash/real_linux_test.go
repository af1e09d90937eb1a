package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestChromiumCrashes crashes a real Chromium and finds its dump.
func TestChromiumCrashes(t *testing.T) {
	program := need.Program(t, "chromium")
	home := t.TempDir()
	t.Setenv("HOME", home)
	began := time.Now().Add(-time.Second)
	profile := filepath.Join(home, ".config/chromium")
	cmd := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--enable-crash-reporter", "--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	// Only the browser crashes; its helpers are in the same process group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		// They may still write into the folder to be removed.
		probetest.Until(t, "its helpers to end", func() bool { return syscall.Kill(-cmd.Process.Pid, 0) != nil })
	})
	// The handler monitors the browser once its folders exist. A crash before the browser has started its
	// helpers may wait for the handler for ever.
	probetest.Until(t, "the crash handler and the start of the browser", func() bool {
		_, err := os.Stat(filepath.Join(profile, "Crash Reports", "pending"))
		_, started := os.Stat(filepath.Join(profile, "DevToolsActivePort"))
		return err == nil && started == nil
	})
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := cmd.Process.Signal(syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	probetest.Until(t, "the crash of Chromium", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	probetest.Until(t, "the record of the crash", func() bool {
		found := Read(t.Context(), nil, began, time.Now().Add(time.Second))
		return slices.ContainsFunc(found.Events, func(e report.HostEvent) bool {
			return e.Kind == report.EventClientCrashed && e.Program == "Chromium"
		})
	})
}

// TestThisMachine reads the records of this machine, which must not fail.
func TestThisMachine(t *testing.T) {
	now := time.Now()
	for _, s := range Read(t.Context(), nil, now.Add(-Window), now).Sources {
		if s.State == "failed" {
			t.Errorf("%s cannot be read", s.Name)
		}
	}
}

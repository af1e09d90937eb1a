package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// faultVariable is the environment variable that makes this test binary a program that
// crashes.
const faultVariable = "TONPROBE_TEST_FAULT"

func TestMain(m *testing.M) {
	switch os.Getenv(faultVariable) {
	case "abort": // with GOTRACEBACK=crash: SIGABRT, and a core dump
		limit := unix.Rlimit{Cur: 64 << 20, Max: unix.RLIM_INFINITY}
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &limit)
		panic("a real crash")
	case "memory":
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is in its control group
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = byte(i)
			}
			all = append(all, b)
			runtime.KeepAlive(all)
		}
	}
	os.Exit(m.Run())
}

// faulty returns a command that runs this program under the name of a client.
func faulty(t *testing.T, name, fault string) *exec.Cmd {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, self, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), faultVariable+"="+fault, "GOTRACEBACK=crash")
	cmd.Dir = filepath.Dir(path)
	return cmd
}

// finds polls one source of this machine.
func finds(t *testing.T, name string, since time.Time, is func(report.HostEvent) bool) {
	t.Helper()
	var last []report.HostEvent
	for range 100 {
		found := Read(t.Context(), nil, since, time.Now().Add(time.Second))
		if slices.ContainsFunc(found.Events, is) {
			return
		}
		last = found.Events
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s was not found in %+v", name, last)
}

// TestCoreDump has the kernel write a real core dump of a program with the name of a
// client, to the place that a plain core_pattern specifies.
func TestCoreDump(t *testing.T) {
	need.Root(t, "changing core_pattern")
	const pattern = "/proc/sys/kernel/core_pattern"
	old, err := os.ReadFile(pattern)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(pattern, []byte(filepath.Join(dir, "core.%e.%p")), 0); err != nil {
		t.Skipf("core_pattern cannot be changed: %v", err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(pattern, old, 0); err != nil {
			t.Errorf("core_pattern is not restored: %v", err)
		}
	})
	began := time.Now().Add(-time.Second)
	if out, err := faulty(t, "zoom", "abort").CombinedOutput(); err == nil {
		t.Fatalf("the program did not crash: %s", out)
	}
	if dumps, _ := filepath.Glob(filepath.Join(dir, "core.zoom.*")); len(dumps) != 1 {
		t.Fatalf("got core dumps %q, want 1 entry", dumps)
	}
	finds(t, "the dump", began, func(e report.HostEvent) bool {
		return e.Kind == report.EventClientCrashed && e.Program == "Zoom" && e.Detail == detailDump
	})
}

// TestOutOfMemory has the kernel kill a program with the name of a client, which exhausts
// the memory of its control group.
func TestOutOfMemory(t *testing.T) {
	need.Root(t, "control groups")
	group, limit := controlGroup(t)
	if err := os.WriteFile(limit, []byte(strconv.Itoa(48<<20)), 0); err != nil {
		t.Skipf("the kernel does not permit a limit: %v", err)
	}
	began := time.Now().Add(-time.Second)
	cmd := faulty(t, "zoom", "memory")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), fmt.Append(nil, cmd.Process.Pid), 0); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Skipf("a process cannot be moved into a control group: %v", err)
	}
	_, _ = in.Write([]byte("x"))
	if err := cmd.Wait(); err == nil {
		t.Fatal("the program was not killed")
	}
	finds(t, "the kill", began, func(e report.HostEvent) bool {
		return e.Kind == report.EventOutOfMemory && e.Program == "Zoom"
	})
}

// controlGroup creates a control group of either version and returns the file of its limit.
func controlGroup(t *testing.T) (group, limit string) {
	t.Helper()
	for _, c := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		group = filepath.Join(c.root, "tonprobe-test-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) })
		if _, err := os.Stat(filepath.Join(group, c.limit)); err == nil {
			return group, filepath.Join(group, c.limit)
		}
	}
	t.Skip("no control groups for memory here")
	return "", ""
}

// TestAnEmptyJournalIsNoJournal: a missing journal must not look like a day without
// events.
func TestAnEmptyJournalIsNoJournal(t *testing.T) {
	root := t.TempDir()
	if keepsJournal(root) {
		t.Error("got a journal without a folder")
	}
	machine := filepath.Join(root, "var/log/journal/0123456789abcdef0123456789abcdef")
	if err := os.MkdirAll(machine, 0o755); err != nil {
		t.Fatal(err)
	}
	if keepsJournal(root) {
		t.Error("got a journal in an empty folder")
	}
	if err := os.WriteFile(filepath.Join(machine, "system.journal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !keepsJournal(root) {
		t.Error("a journal file was not recognised")
	}
}

//go:build systemd

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServiceUnderSystemd boots a Debian with systemd in a container and tests the
// service from installation to removal. As root, once (a minute or two from a
// mirror):
//
//	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm /var/tmp/debian
//
// and then, half a minute each:
//
//	TONPROBE_SYSTEMD_ROOT=/var/tmp/debian go test -tags systemd -run TestServiceUnderSystemd ./cmd/tonprobe
//
// It is not part of .ci/test, because a new machine would download a whole Debian
// for it. The tree itself is not modified.
func TestServiceUnderSystemd(t *testing.T) {
	m := bootSystemd(t)
	m.want("state", `"state": "missing"`, "service", "status", "--json")
	m.refuse("start before it is installed", "not installed", "service", "start")

	const data, target = "/var/lib/Ton Probe 100% $HOME", "https://bbb.example.org:8443"
	m.want("install", "is installed", "service", "install", "--data", data, "--target", target)
	m.refuse("install twice", "already installed", "service", "install")
	m.want("state", `"state": "stopped"`, "service", "status", "--json")
	m.want("start", "is started", "service", "start")
	m.want("state", `"state": "running"`, "service", "status", "--json")
	// systemd's own rating, 0 (best) to 10; 9.6 is a unit without any protection.
	t.Logf("systemd-analyze security: %s", m.run("systemd-analyze", "security", "--no-pager", "--threshold=30", "tonprobe.service"))
	m.await("writes its identity", func() bool {
		_, err := m.try("test", "-e", data+"/identity.json")
		return err == nil
	})
	first := m.mainPID()
	if line := m.run("cat", "/proc/"+first+"/cmdline"); !strings.Contains(line, "\x00"+data+"\x00") || !strings.Contains(line, "\x00"+target+"\x00") {
		t.Errorf("systemd read something into the arguments: %q", line)
	}

	m.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "tonprobe")
	m.await("waits for its restart", func() bool { return strings.Contains(m.tonprobe("service", "status", "--json"), `"state": "waiting"`) })
	m.await("runs again", func() bool {
		return strings.Contains(m.tonprobe("service", "status", "--json"), `"state": "running"`) && m.mainPID() != first
	})
	m.want("stop", "is stopped", "service", "stop")
	m.want("state", `"state": "stopped"`, "service", "status", "--json")
	m.want("start", "is started", "service", "start")
	second := m.mainPID()
	m.want("uninstall", "is removed", "service", "uninstall")
	m.want("state", `"state": "missing"`, "service", "status", "--json")
	if _, err := m.try("test", "-e", "/proc/"+second+"/exe"); err == nil {
		t.Error("it still runs after it was removed")
	}
}

// machine is a booted container.
type machine struct {
	t    *testing.T
	init string // process ID of its init, on this machine
}

func bootSystemd(t *testing.T) *machine {
	t.Helper()
	root := os.Getenv("TONPROBE_SYSTEMD_ROOT")
	if root == "" {
		t.Fatal("TONPROBE_SYSTEMD_ROOT names no Debian to boot")
	}
	program := filepath.Join(t.TempDir(), "tonprobe")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // the container has no sound libraries
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	nspawn := exec.Command("systemd-nspawn", "--directory="+root, "--volatile=overlay", "--bind-ro="+program+":/usr/bin/tonprobe",
		"--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe")
	var console bytes.Buffer
	nspawn.Stdout, nspawn.Stderr = &console, &console
	if err := nspawn.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = nspawn.Wait()
	}()
	m := &machine{t: t}
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(m.init); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // ends the whole container, which the end of nspawn would not
		}
		_ = nspawn.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("console: %s", &console)
		}
	})
	m.await("boots", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn.Process.Pid))
		if m.init = strings.TrimSpace(string(children)); err != nil || m.init == "" || strings.Contains(m.init, " ") {
			return false
		}
		state, _ := m.try("systemctl", "is-system-running")
		return strings.HasPrefix(state, "running") || strings.HasPrefix(state, "degraded")
	})
	return m
}

// try runs a program in the container.
func (m *machine) try(args ...string) (out string, err error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "nsenter", append([]string{"--target", m.init, "--all", "--"}, args...)...)
	c.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8"}
	b, err := c.CombinedOutput()
	return string(b), err
}

func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

func (m *machine) tonprobe(args ...string) string {
	m.t.Helper()
	return m.run(append([]string{"tonprobe"}, args...)...)
}

func (m *machine) want(what, part string, args ...string) {
	m.t.Helper()
	if out := m.tonprobe(args...); !strings.Contains(out, part) {
		m.t.Errorf("%s: %s", what, out)
	}
}

func (m *machine) refuse(what, part string, args ...string) {
	m.t.Helper()
	if out, err := m.try(append([]string{"tonprobe"}, args...)...); err == nil || !strings.Contains(out, part) {
		m.t.Errorf("%s: %v, %s", what, err, out)
	}
}

func (m *machine) mainPID() string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--property=MainPID", "--value", "tonprobe"))
}

// await polls until a condition is met.
func (m *machine) await(what string, come func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !come(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("it never %s", what)
		}
	}
}

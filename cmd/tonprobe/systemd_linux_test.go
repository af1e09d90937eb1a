//go:build systemd

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestServiceUnderSystemd boots a Debian with systemd in a container, and tests the
// service from installation to removal, with a collector and two people. .ci/service-test
// prepares the tree and runs it. The tree itself is not modified.
func TestServiceUnderSystemd(t *testing.T) {
	m := bootSystemd(t)
	m.run("useradd", "--create-home", "anna")
	m.run("useradd", "--create-home", "bert")
	before := m.traces()

	m.want("state", `"state": "missing"`, "service", "status", "--json")
	m.refuse("start before it is installed", "not installed", "service", "start")
	m.want("install", "has been installed", "service", "install")
	m.want("install over itself", "has been installed", "service", "install")
	m.want("state", `"state": "stopped"`, "service", "status", "--json")
	m.want("start", "All users' programs can reach the service", "service", "start")
	m.want("state", `"state": "running"`, "service", "status", "--json")
	m.want("self-check before enrolment", "The computer is not set up", "service", "status")
	if user := strings.TrimSpace(m.run("systemctl", "show", "--property=User", "--value", "tonprobe")); user != "tonprobe" {
		t.Errorf("the service runs as %q", user)
	}
	// systemd's own rating, 0 (best) to 10; 9.6 is a unit without any protection.
	rating := m.run("systemd-analyze", "security", "--no-pager", "--threshold=30", "tonprobe.service")
	t.Log(rating[strings.LastIndex(strings.TrimSpace(rating), "\n")+1:])

	m.enrolAndCheck()

	first := m.mainPID()
	m.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "tonprobe")
	m.await("waits for its restart", func() bool { return strings.Contains(m.tonprobe("service", "status", "--json"), `"state": "waiting"`) })
	m.awaitRunning(first)

	// The administrator uses the service too, and may use its folder while it is stopped.
	m.want("stop", "has been stopped", "service", "stop")
	if out, err := m.try("tonprobe", "report", "list"); err != nil || !strings.Contains(out, "sent") {
		t.Errorf("stopped: %v, %s", err, out)
	}
	m.run("touch", "/var/lib/tonprobe/spool/files.lock")
	m.run("chown", "root:", "/var/lib/tonprobe/spool/files.lock")
	m.want("start", "Reports can be stored", "service", "start")

	m.copyProgram(".new")
	m.run("mv", "/usr/bin/tonprobe.new", "/usr/bin/tonprobe") // as a package does
	old := m.mainPID()
	m.want("upgrade", "has been installed", "service", "install")
	m.awaitRunning(old)
	m.want("keeps its identity", "The computer is set up", "service", "status")

	m.reboot()
	m.awaitRunning("")
	m.want("keeps its identity", "The computer is set up", "service", "status")

	// The account and the unit permit what the jobs of the service need.
	log := m.run("journalctl", "--unit=tonprobe", "--output=cat")
	if strings.Contains(log, "a loop that ended") || strings.Contains(log, "permission denied") || strings.Contains(log, "operation not permitted") {
		t.Errorf("the service's log: %s", log)
	}
	t.Logf("the service's log has %d lines", strings.Count(log, "\n"))

	pid := m.mainPID()
	m.want("uninstall", "has been removed", "service", "uninstall")
	m.want("state", `"state": "missing"`, "service", "status", "--json")
	if _, err := m.try("test", "-e", "/proc/"+pid+"/exe"); err == nil {
		t.Error("the service still runs after it was removed")
	}
	if after := m.traces(); after != before {
		t.Errorf("the installation left traces:\nbefore: %s\nafter: %s", before, after)
	}
}

// TestServiceWithUnusualSettings passes characters that systemd would interpret.
func TestServiceWithUnusualSettings(t *testing.T) {
	m := bootSystemd(t)
	const data, target = "/var/lib/Ton Probe 100% $HOME", "https://bbb.example.org:8443"
	m.refuse("install over other files", "contains files that are not part of Tonprobe", "service", "install", "--data", "/etc")
	m.refuse("install over spools of others", "contains files that are not part of Tonprobe", "service", "install", "--data", "/var")
	m.want("install", "has been installed", "service", "install", "--data", data, "--target", target)
	m.want("start", "Reports can be stored", "service", "start")
	if _, err := m.try("test", "-e", data+"/identity.json"); err != nil {
		t.Error("no identity in the folder")
	}
	pid := m.mainPID()
	if line := m.run("cat", "/proc/"+pid+"/cmdline"); !strings.Contains(line, "\x00"+data+"\x00") || !strings.Contains(line, "\x00"+target) {
		t.Errorf("systemd changed the arguments: %q", line)
	}
	m.want("uninstall", "This folder was kept", "service", "uninstall", "--data", data)
	if owners := m.run("find", data, "!", "-user", "root"); owners != "" {
		t.Errorf("the folder has files of the removed account: %s", owners)
	}
}

// TestServiceOfAPerson installs the service for a person, with the person's own manager.
func TestServiceOfAPerson(t *testing.T) {
	m := bootSystemd(t)
	m.run("useradd", "--create-home", "anna")
	m.await("manages the person's services", func() bool {
		state, _ := m.inSession("anna", "systemctl", "--user", "is-system-running")
		return strings.HasPrefix(state, "running") || strings.HasPrefix(state, "degraded")
	})
	m.wantAs("anna", "install", "has been installed", "service", "install", "--user")
	m.wantAs("anna", "start", "Reports can be stored", "service", "start", "--user")
	m.wantAs("anna", "state", `"state": "running"`, "service", "status", "--user", "--json")
	m.wantAs("anna", "uninstall", "has been removed", "service", "uninstall", "--user")
	m.wantAs("anna", "state", `"state": "missing"`, "service", "status", "--user", "--json")
}

// enrolAndCheck has one person enrol the machine, and two people check it.
func (m *machine) enrolAndCheck() {
	m.t.Helper()
	const url, data = "http://127.0.0.1:8080", "/var/lib/collector"
	m.run("systemd-run", "--unit=collector", "/usr/bin/tonprobe-collector", "serve", "--data", data, "--behind-proxy",
		"--listen", "127.0.0.1:8080", "--stun-listen", "127.0.0.1:3478", "--media-listen", "127.0.0.1:3480")
	m.await("has a collector", func() bool {
		log, _ := m.try("journalctl", "--unit=collector", "--output=cat")
		return strings.Contains(log, "is ready")
	})
	var invited struct{ Code string }
	out := m.run("/usr/bin/tonprobe-collector", "participant", "add", "Anna Muster", "--json", "--data", data)
	if err := json.Unmarshal([]byte(out), &invited); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	if out, err := m.as("anna", "enroll", invited.Code, "--server", url); err != nil || !strings.Contains(out, "everybody who uses this computer") {
		m.t.Fatalf("enrol: %v, %s", err, out)
	}
	m.want("self-check", "The check server responds", "service", "status")
	m.want("self-check", "finds crashes", "service", "status")
	agents := map[string]bool{}
	for _, who := range []string{"anna", "bert"} {
		out, _ := m.as(who, "check", "--no-audio", "--json", "-")
		var r struct {
			Agent  struct{ ID string }
			Probes []struct{ Name, Status string }
		}
		at := strings.Index(out, "\n{\n")
		if at < 0 || json.NewDecoder(strings.NewReader(out[at:])).Decode(&r) != nil {
			m.t.Fatalf("check of %s: %s", who, out)
		}
		// The stream needs servers and an echo session, which the service requests.
		if !slices.ContainsFunc(r.Probes, func(p struct{ Name, Status string }) bool {
			return p.Name == report.ProbeMediaVoice && slices.Contains([]string{"ok", "warn", "fail"}, p.Status)
		}) {
			m.t.Errorf("%s: got %+v, want a measured voice", who, r.Probes)
		}
		agents[r.Agent.ID] = true
		if out, err := m.as(who, "report", "list"); err != nil || !strings.Contains(out, "sent") {
			m.t.Errorf("reports of %s: %v, %s", who, err, out)
		}
	}
	if len(agents) != 1 {
		m.t.Errorf("got %d agents for two people, want 1", len(agents))
	}
	// Neither people nor programs may read the secret, and programs may not use the
	// socket.
	if out, err := m.try("runuser", "-u", "anna", "--", "cat", "/var/lib/tonprobe/identity.json"); err == nil {
		m.t.Errorf("anna reads the identity: %s", out)
	}
	if out, _ := m.try("runuser", "-u", "www-data", "--", "env", "TONPROBE_DATA=/tmp/www", "TONPROBE_SOCKET=/run/tonprobe/agent.sock", "TONPROBE_LANG=en",
		"tonprobe", "enroll", "K7P3-QX9A-2M4B", "--server", url); !strings.Contains(out, "this account may not use it") {
		m.t.Errorf("a program's account: %s", out)
	}
}

// traces lists what an installation could leave behind.
func (m *machine) traces() string {
	m.t.Helper()
	return m.run("sh", "-c", "ls -d /var/lib/tonprobe /run/tonprobe /etc/tonprobe 2>&1; ls /etc/systemd/system /etc/systemd/system/*.wants; "+
		"getent passwd tonprobe; getent group tonprobe; systemctl list-units --all --no-legend 'tonprobe*'; true")
}

// machine is a booted container.
type machine struct {
	t        *testing.T
	root     string // its tree, on this machine
	programs string // folder of the programs to copy
	nspawn   *exec.Cmd
	console  bytes.Buffer
	init     string // process ID of its init, on this machine
}

// bootSystemd boots a machine with the programs in /usr/bin.
func bootSystemd(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	m.programs = os.Getenv("TONPROBE_SYSTEMD_PROGRAMS")
	if m.programs == "" {
		t.Fatal("TONPROBE_SYSTEMD_PROGRAMS is not set to a folder with the programs: run .ci/service-test")
	}
	m.copyProgram("")
	m.copy("tonprobe-collector", "")
	m.boot()
	return m
}

// newMachine returns a machine that is not booted yet.
func newMachine(t *testing.T) *machine {
	t.Helper()
	tree := os.Getenv("TONPROBE_SYSTEMD_ROOT")
	if tree == "" {
		t.Fatal("TONPROBE_SYSTEMD_ROOT is not set to a Debian tree: run .ci/service-test")
	}
	m := &machine{t: t, root: overlay(t, tree)}
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(m.init); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // ends the whole container, unlike the end of nspawn
		}
		if m.nspawn != nil {
			_ = m.nspawn.Process.Kill()
			_ = m.nspawn.Wait()
		}
		if t.Failed() {
			t.Logf("console: %s", &m.console)
		}
	})
	return m
}

// boot starts the container and waits until its services run.
func (m *machine) boot() {
	m.t.Helper()
	m.nspawn = exec.Command("systemd-nspawn", "--directory="+m.root,
		"--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe")
	m.nspawn.Stdout, m.nspawn.Stderr = &m.console, &m.console
	if err := m.nspawn.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.init = ""
	m.await("boots", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", m.nspawn.Process.Pid))
		init := strings.TrimSpace(string(children))
		if err != nil || init == "" || strings.Contains(init, " ") {
			return false
		}
		m.init = init
		state, _ := m.try("systemctl", "is-system-running")
		return strings.HasPrefix(state, "running") || strings.HasPrefix(state, "degraded")
	})
}

// overlay mounts the tree with a layer in memory, so that changes survive a reboot of the
// container and not the test.
func overlay(t *testing.T, tree string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	root := filepath.Join(dir, "root")
	for _, d := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := "lowerdir=" + tree + ",upperdir=" + dir + "/upper,workdir=" + dir + "/work"
	if err := syscall.Mount("overlay", root, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(root, syscall.MNT_DETACH) })
	return root
}

func (m *machine) copyProgram(suffix string) { m.copy("tonprobe", suffix) }

func (m *machine) copy(name, suffix string) {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.programs, name))
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.root, "usr/bin", name+suffix), b, 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// statusReboot is the exit status of systemd-nspawn --keep-unit when the container
// requests a reboot.
const statusReboot = 133

func (m *machine) reboot() {
	m.t.Helper()
	_, _ = m.try("systemctl", "reboot") // the connection may end first
	_ = m.nspawn.Wait()
	if status := m.nspawn.ProcessState.ExitCode(); status != statusReboot {
		m.t.Fatalf("reboot: systemd-nspawn ended with status %d", status)
	}
	m.boot()
}

// awaitRunning waits until the service runs as another process than before.
func (m *machine) awaitRunning(before string) {
	m.t.Helper()
	m.await("runs again", func() bool {
		return strings.Contains(m.tonprobe("service", "status", "--json"), `"state": "running"`) && m.mainPID() != before
	})
	m.await("opens its socket again", func() bool {
		return strings.Contains(m.tonprobe("service", "status"), "All users' programs can reach the service")
	})
}

// as runs the program in a session of a person.
func (m *machine) as(who string, args ...string) (string, error) {
	return m.inSession(who, append([]string{"tonprobe"}, args...)...)
}

// inSession runs a program in a session of systemd-logind.
func (m *machine) inSession(who string, command ...string) (string, error) {
	return m.try(append([]string{"systemd-run", "--quiet", "--pipe", "--wait", "--property=User=" + who, "--property=PAMName=login",
		"--setenv=TONPROBE_LANG=en"}, command...)...)
}

func (m *machine) wantAs(who, what, part string, args ...string) {
	m.t.Helper()
	if out, err := m.as(who, args...); err != nil || !strings.Contains(out, part) {
		m.t.Errorf("%s: got %s, error %v; want %q", what, out, err, part)
	}
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
		m.t.Errorf("%s: got %s, want %q", what, out, part)
	}
}

func (m *machine) refuse(what, part string, args ...string) {
	m.t.Helper()
	if out, err := m.try(append([]string{"tonprobe"}, args...)...); err == nil || !strings.Contains(out, part) {
		m.t.Errorf("%s: got %s, error %v; want an error with %q", what, out, err, part)
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
			m.t.Fatalf("timeout: it never %s", what)
		}
	}
}

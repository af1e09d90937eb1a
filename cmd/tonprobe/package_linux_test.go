//go:build systemd

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPackages installs, runs, upgrades, removes and purges the deb packages of both programs
// in a booted Debian. .ci/package-test builds them, in folders called old and new.
func TestPackages(t *testing.T) {
	m := newMachine(t)
	for _, version := range []string{"old", "new"} {
		m.copyPackages(version)
	}
	m.boot()
	m.run("useradd", "--create-home", "anna")
	before := m.packageTraces()

	m.run("sh", "-c", "dpkg --install /root/old/*.deb")
	for _, unit := range []string{"tonprobe", "tonprobe-collector"} {
		enabled, _ := m.try("systemctl", "is-enabled", unit)
		active, _ := m.try("systemctl", "is-active", unit)
		if strings.TrimSpace(enabled) != "disabled" || strings.TrimSpace(active) != "inactive" {
			t.Errorf("after the installation %s is %q, %q", unit, enabled, active)
		}
	}

	m.startPackagedCollector()
	m.run("systemctl", "enable", "--now", "tonprobe")
	m.awaitRunning("")
	invited := m.invite()
	if out, err := m.as("anna", "enroll", invited, "--server", "http://127.0.0.1:8080"); err != nil || !strings.Contains(out, "everybody who uses this computer") {
		t.Fatalf("enrol: %v, %s", err, out)
	}
	m.want("self-check", "The check server responds", "service", "status")
	for _, unit := range []string{"tonprobe", "tonprobe-collector"} {
		// systemd's own rating, 0 (best) to 10.
		rating := strings.TrimSpace(m.run("systemd-analyze", "security", "--no-pager", "--threshold=20", unit+".service"))
		t.Log(rating[strings.LastIndex(rating, "\n")+1:])
	}

	agent, collector := m.mainPID(), m.pidOf("tonprobe-collector")
	m.refusesHalf()
	m.refusesOnFullDisk()
	if out := m.run("dpkg", "--audit"); out != "" || m.mainPID() != agent || m.pidOf("tonprobe-collector") != collector {
		t.Errorf("after two upgrades that failed, other processes run than before, or: %s", out)
	}
	m.want("old version", "1.0.0", "version")
	m.want("serves", "The check server responds", "service", "status")

	m.run("sh", "-c", "dpkg --install /root/new/*.deb")
	m.awaitRunning(agent)
	m.await("restarts the collector", func() bool {
		pid := m.pidOf("tonprobe-collector")
		return pid != collector && pid != "0"
	})
	m.want("new version", "1.0.1", "version")
	m.want("keeps its identity", "The computer is set up", "service", "status")
	if out := m.run("tonprobe-collector", "participant", "list", "--config", packagedConfig); !strings.Contains(out, "Anna Muster") {
		t.Errorf("the collector lost its data: %s", out)
	}
	m.reboot()
	m.awaitRunning("")
	m.await("serves again", func() bool { return strings.Contains(m.tonprobe("service", "status"), "The check server responds") })

	// The service command overrides the unit of the package, and returns to it.
	m.want("install over the package", "has been installed", "service", "install", "--interval", "3h")
	m.want("uninstall", "has been removed", "service", "uninstall", "--keep-data")
	m.want("state", `"state": "stopped"`, "service", "status", "--json")
	m.want("uninstall what the package contains", "has been removed", "service", "uninstall")
	m.want("start", "Reports can be stored", "service", "start")
	m.want("install", "has been installed", "service", "install")
	m.want("start", "Reports can be stored", "service", "start")

	m.run("dpkg", "--remove", "tonprobe", "tonprobe-collector")
	if out := m.run("systemctl", "list-units", "--all", "--no-legend", "tonprobe*"); strings.TrimSpace(out) != "" {
		t.Errorf("after the removal: %s", out)
	}
	for _, kept := range []string{"/var/lib/tonprobe/identity.json", packagedConfig, "/var/lib/tonprobe-collector"} {
		if _, err := m.try("test", "-e", kept); err != nil {
			t.Errorf("the removal deleted %s", kept)
		}
	}
	// If the folder is a mount point, the purge can delete only its content.
	const mounted = "/var/lib/tonprobe-collector"
	m.run("mount", "--bind", mounted, mounted)
	m.run("dpkg", "--purge", "tonprobe", "tonprobe-collector")
	m.run("umount", mounted)
	m.run("rmdir", mounted)
	if after := m.packageTraces(); after != before {
		t.Errorf("traces of the packages:\nbefore: %s\nafter: %s", before, after)
	}
}

// packagedConfig is the configuration of the collector's package.
const packagedConfig = "/etc/tonprobe-collector/collector.toml"

func (m *machine) copyPackages(version string) {
	m.t.Helper()
	packages, err := filepath.Glob(filepath.Join(os.Getenv("TONPROBE_PACKAGES"), version, "*_amd64.deb"))
	if err != nil || len(packages) != 2 {
		m.t.Fatalf("got packages %q, %v, want two: run .ci/package-test", packages, err)
	}
	to := filepath.Join(m.root, "root", version)
	if err := os.MkdirAll(to, 0o700); err != nil {
		m.t.Fatal(err)
	}
	for _, file := range packages {
		b, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(file)), b, 0o600)
		}
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

// refusesHalf installs a package whose download was interrupted.
func (m *machine) refusesHalf() {
	m.t.Helper()
	m.run("sh", "-c", "head -c 1000000 /root/new/tonprobe_*.deb >/root/half.deb")
	if out, err := m.try("dpkg", "--install", "/root/half.deb"); err == nil {
		m.t.Errorf("half a package was installed: %s", out)
	}
}

// refusesOnFullDisk upgrades while there is not enough room for the new programs.
func (m *machine) refusesOnFullDisk() {
	m.t.Helper()
	disk := filepath.Dir(m.root) // see overlay
	var s syscall.Statfs_t
	if err := syscall.Statfs(disk, &s); err != nil {
		m.t.Fatal(err)
	}
	const room = 8 << 20 // for what dpkg writes about itself
	resize := func(bytes int64) {
		m.t.Helper()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("mode=755,size=%d", bytes)); err != nil {
			m.t.Fatal(err)
		}
	}
	resize(int64(s.Blocks-s.Bfree)*s.Bsize + room)
	out, err := m.try("sh", "-c", "dpkg --install /root/new/*.deb")
	resize(int64(s.Blocks) * s.Bsize)
	if err == nil || !strings.Contains(out, "No space left on device") {
		m.t.Errorf("upgrade on a full disk: %v, %s", err, out)
	}
}

func (m *machine) startPackagedCollector() {
	m.t.Helper()
	settings := `behind_proxy = true
listen = "127.0.0.1:8080"
stun_listen = "127.0.0.1:3478"
media_listen = "127.0.0.1:3480"
`
	m.run("sh", "-c", "echo '"+settings+"' >> "+packagedConfig)
	m.run("systemctl", "enable", "--now", "tonprobe-collector")
	m.await("has a collector", func() bool {
		log, _ := m.try("journalctl", "--unit=tonprobe-collector", "--output=cat")
		return strings.Contains(log, "is ready")
	})
}

func (m *machine) invite() (code string) {
	m.t.Helper()
	var invited struct{ Code string }
	out := m.run("tonprobe-collector", "participant", "add", "Anna Muster", "--json", "--config", packagedConfig)
	if err := json.Unmarshal([]byte(out), &invited); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	return invited.Code
}

func (m *machine) pidOf(unit string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--property=MainPID", "--value", unit))
}

// packageTraces lists what a package could leave behind. anna's own files are not part of it.
func (m *machine) packageTraces() string {
	m.t.Helper()
	return m.run("sh", "-c", "find /etc /usr /var/lib /var/cache /run -xdev -name '*tonprobe*' ! -path '/run/systemd/*' | sort; "+
		"getent passwd | grep tonprobe; getent group | grep tonprobe; systemctl list-unit-files --no-legend 'tonprobe*'; true")
}

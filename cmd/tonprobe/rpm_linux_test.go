//go:build systemd

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestRPMPackages installs, upgrades and removes the rpm packages of both programs in the tree of a
// Debian whose systemd does not run. rpm runs on this machine. .ci/package-test builds the packages.
func TestRPMPackages(t *testing.T) {
	tree := os.Getenv("TONPROBE_SYSTEMD_ROOT")
	if tree == "" {
		t.Fatal("TONPROBE_SYSTEMD_ROOT is not set to a Debian tree: run .ci/package-test")
	}
	r := rpmTree{t, overlay(t, tree)}
	proc := filepath.Join(r.root, "proc")
	if err := syscall.Mount("proc", proc, "proc", 0, ""); err != nil { // as installers of systems do
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(proc, syscall.MNT_DETACH) })
	before := r.files()

	r.rpm(append([]string{"--install"}, r.packages("old")...)...)
	if out := r.chroot("tonprobe", "version"); !strings.Contains(out, "1.0.0") {
		t.Errorf("installed: %s", out)
	}
	if out := r.chroot("stat", "--format=%a %U:%G", "/var/lib/tonprobe"); strings.TrimSpace(out) != "700 tonprobe:tonprobe" {
		t.Errorf("the folder of the service: %s", out)
	}
	r.rpm("--verify", "tonprobe", "tonprobe-collector")

	r.chroot("sh", "-c", "echo '# changed' >>"+packagedConfig+"; echo '{}' >/var/lib/tonprobe/identity.json")
	r.rpm(append([]string{"--upgrade"}, r.packages("new")...)...)
	older := append([]string{"--upgrade"}, r.packages("old")...)
	if out, err := r.try("rpm", r.rpmArguments(older)...); err == nil || !strings.Contains(out, "newer than") {
		t.Errorf("an older version over a newer one: %v, %s", err, out)
	}
	for _, program := range []string{"tonprobe", "tonprobe-collector"} {
		if out := r.chroot(program, "version"); !strings.Contains(out, "1.0.1") {
			t.Errorf("upgraded: %s", out)
		}
	}
	if out := r.chroot("cat", packagedConfig); !strings.Contains(out, "# changed") {
		t.Errorf("the upgrade replaced the configuration: %s", out)
	}

	r.rpm("--erase", "tonprobe", "tonprobe-collector")
	r.chroot("getent", "passwd", "tonprobe", "tonprobe-collector")
	kept := []string{"/etc/tonprobe-collector", packagedConfig + ".rpmsave", "/var/lib/tonprobe", "/var/lib/tonprobe/identity.json"}
	after := slices.DeleteFunc(r.files(), func(file string) bool { return slices.Contains(before, file) || slices.Contains(kept, file) })
	if len(after) > 0 {
		t.Errorf("the removal left %q", after)
	}
	r.chroot("test", "-e", "/var/lib/tonprobe/identity.json")
}

// rpmTree is the tree of a system into which rpm installs.
type rpmTree struct {
	t    *testing.T
	root string
}

func (r rpmTree) packages(version string) []string {
	r.t.Helper()
	packages, err := filepath.Glob(filepath.Join(os.Getenv("TONPROBE_PACKAGES"), version, "*_amd64.rpm"))
	if err != nil || len(packages) != 2 {
		r.t.Fatalf("got packages %q, %v, want two: run .ci/package-test", packages, err)
	}
	return packages
}

// rpmArguments adds the tree. Debian's packages are not in the database of rpm, so what is needed is missing
// in it.
func (r rpmTree) rpmArguments(args []string) []string {
	return append([]string{"--root", r.root, "--nodeps"}, args...)
}

func (r rpmTree) rpm(args ...string) {
	r.t.Helper()
	if out, err := r.try("rpm", r.rpmArguments(args)...); err != nil || strings.Contains(out, "failed") {
		r.t.Fatalf("rpm %q: %v\n%s", args, err, out)
	}
}

func (r rpmTree) chroot(args ...string) string {
	r.t.Helper()
	out, err := r.try("chroot", append([]string{r.root}, args...)...)
	if err != nil {
		r.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

func (r rpmTree) try(name string, args ...string) (string, error) {
	c := exec.CommandContext(r.t.Context(), name, args...)
	c.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8", "TONPROBE_LANG=en"}
	out, err := c.CombinedOutput()
	return string(out), err
}

// files lists what a package could leave behind.
func (r rpmTree) files() []string {
	return strings.Fields(r.chroot("find", "/etc", "/usr", "/var", "/run", "-path", "*tonprobe*"))
}

// Package need skips tests that this machine or this run cannot serve, and names why.
//
// Plain go test skips what the machine lacks. With -short, it also skips what needs root,
// network namespaces, sound or programs of others, and what takes long. With
// TONPROBE_TEST_ALL set, nothing is skipped, with or without -short: what is missing
// fails the test.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Variable demands every test. .ci/test sets it to 1.
const Variable = "TONPROBE_TEST_ALL"

// All reports whether no test may be skipped.
func All() bool { return os.Getenv(Variable) != "" }

// Short reports whether this run leaves out what Full names.
func Short() bool { return testing.Short() && !All() }

// Full skips the test with -short, because of what it needs or does.
func Full(t testing.TB, what string) {
	t.Helper()
	if Short() {
		t.Skipf("left out by -short: %s", what)
	}
}

// Minutes skips a test that takes minutes unless Variable is set, or one of the variables
// that request this test.
func Minutes(t testing.TB, requests ...string) {
	t.Helper()
	for _, v := range append(requests, Variable) {
		if os.Getenv(v) != "" {
			return
		}
	}
	t.Skipf("takes minutes: set one of %q", append(requests, Variable))
}

// Lack skips a test that lacks something on this machine, or fails it if Variable is set.
func Lack(t testing.TB, what string, err error) {
	t.Helper()
	if All() {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

// Programs is Program for each of them.
func Programs(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		Program(t, name)
	}
}

// Program returns the path of a program of others. The test is skipped with -short, and
// if the program is missing.
func Program(t testing.TB, name string) string {
	t.Helper()
	Full(t, name)
	path, err := exec.LookPath(name)
	if err != nil { // .ci/test builds some
		if cache, _ := os.UserCacheDir(); cache != "" {
			if built, err := exec.LookPath(filepath.Join(cache, "tonprobe-test", name)); err == nil {
				return built
			}
		}
		Lack(t, name, err)
	}
	return path
}

// Root skips the test with -short, and if it does not run as root.
func Root(t testing.TB, what string) {
	t.Helper()
	Full(t, what)
	if os.Geteuid() != 0 {
		Lack(t, "root for "+what, os.ErrPermission)
	}
}

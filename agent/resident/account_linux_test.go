package resident

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestFilesOfARemovedAccount: the next account with the same number must not own the
// token.
func TestFilesOfARemovedAccount(t *testing.T) {
	need.Root(t, "changing owners")
	const service, somebody = 4242, 4243
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	want := map[string]uint32{dir: 0, filepath.Join(dir, "spool"): 0, filepath.Join(dir, "spool", "report"): 0, filepath.Join(dir, "other"): somebody, filepath.Join(dir, "link"): 0, outside: service}
	for _, path := range []string{filepath.Join(dir, "spool", "report"), filepath.Join(dir, "other"), outside} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, owner := range want {
		uid := service
		if owner == somebody {
			uid = somebody
		}
		if err := os.Lchown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := giveToRoot(dir, service); err != nil {
		t.Fatal(err)
	}
	for path, owner := range want {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != owner || owner == 0 && st.Gid != 0 {
			t.Errorf("%s belongs to %d:%d, want %d", path, st.Uid, st.Gid, owner)
		}
	}
	if err := giveToRoot(filepath.Join(dir, "missing"), service); err != nil {
		t.Errorf("got %v without a folder, want no error", err)
	}
}

func TestForgetRunlevels(t *testing.T) {
	etc := t.TempDir()
	for _, dir := range []string{"rc2.d", "rc6.d"} {
		if err := os.Mkdir(filepath.Join(etc, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mine, other, file := filepath.Join(etc, "rc2.d", "S50"+Name), filepath.Join(etc, "rc2.d", "S50ssh"), filepath.Join(etc, "rc6.d", "K02"+Name)
	err := errors.Join(os.Symlink("/etc/init.d/"+Name, mine), os.Symlink("/etc/init.d/ssh", other), os.WriteFile(file, nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	removeRunlevels(etc)
	for path, want := range map[string]bool{mine: false, other: true, file: true} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: got %v, want it kept: %v", path, err, want)
		}
	}
}

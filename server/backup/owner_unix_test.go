//go:build unix

package backup

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/datadir"
)

// TestRestoreAsRootForAnotherUser: an administrator restores as root into the directory of a
// service that runs as another user.
func TestRestoreAsRootForAnotherUser(t *testing.T) {
	need.Root(t, "changing an owner")
	from, dir := collectorIn(t), t.TempDir()
	if err := os.WriteFile(datadir.Targets(from), []byte("systems"), 0o600); err != nil {
		t.Fatal(err)
	}
	const uid, gid = 65533, 65532
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), written(t, from), dir, anything, false, at); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{datadir.Database(dir), datadir.Targets(dir), datadir.TLS(dir), filepath.Join(datadir.TLS(dir), "ca.key")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t); got.Uid != uid || got.Gid != gid {
			t.Errorf("%s belongs to %d:%d, want %d:%d", path, got.Uid, got.Gid, uid, gid)
		}
	}
}

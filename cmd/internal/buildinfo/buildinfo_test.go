package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestAddRevision(t *testing.T) {
	b := Build{Version: "1.2.3"}
	b.addRevision([]debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-30T05:00:00Z"}, {Key: "vcs.modified", Value: "true"}})
	if want := (Build{Version: "1.2.3", Commit: "abc", CommitTime: "2026-11-30T05:00:00Z", Modified: true}); b != want {
		t.Errorf("addRevision: %+v, want %+v", b, want)
	}
}

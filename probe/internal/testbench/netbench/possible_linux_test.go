package netbench

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// possible ends a test on a machine without namespaces and TUN devices: plain go test skips
// it; it fails if TONPROBE_TEST_ALL is set or the bench was requested.
func possible(t *testing.T) {
	t.Helper()
	need.Full(t, "network namespaces")
	if err := Possible(); err != nil {
		lack(t, "network namespaces and TUN devices", err)
	}
}

package netbench

import (
	"os"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// lack skips a test that lacks something on this machine, or fails it if the bench was
// requested.
func lack(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv(envBench) != "" {
		t.Fatalf("needs %s: %v", what, err)
	}
	need.Lack(t, what, err)
}

// Variables that control the runs.
const (
	envBench    = "TONPROBE_BENCH"          // all, subset, or names separated by commas
	envMatrix   = "TONPROBE_BENCH_MATRIX"   // file for the matrix
	envDocument = "TONPROBE_BENCH_DOCUMENT" // document whose tables are replaced
	envReports  = "TONPROBE_BENCH_REPORTS"  // folder for the reports
	envQuiet    = "TONPROBE_BENCH_QUIET"    // longest wait for an idle machine before a check; default 20s
	envWorlds   = "TONPROBE_BENCH_WORLDS"   // number of concurrent worlds
)

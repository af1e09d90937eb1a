package netbench

import (
	"os"
	"testing"
)

// need ends a test that misses something of the machine: it is skipped by plain
// go test and fails where everything must be there, and where it was asked for.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("TONPROBE_TEST_ALL") == "1" || os.Getenv(envBench) != "" {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

// Variables that steer the runs on the wire.
const (
	envBench    = "TONPROBE_BENCH"          // all, subset, or names with commas between
	envMatrix   = "TONPROBE_BENCH_MATRIX"   // file for the matrix
	envDocument = "TONPROBE_BENCH_DOCUMENT" // document whose tables are replaced
	envReports  = "TONPROBE_BENCH_REPORTS"  // folder for the reports
	envQuiet    = "TONPROBE_BENCH_QUIET"    // how long a check waits for a quiet machine at most; 20s
	envWorlds   = "TONPROBE_BENCH_WORLDS"   // how many worlds run side by side
)

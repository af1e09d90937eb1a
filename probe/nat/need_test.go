package nat

import (
	"os"
	"testing"
)

// need ends a test that misses something of the machine: it is skipped by plain
// go test and fails where everything must be there.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("TONPROBE_TEST_ALL") == "1" {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

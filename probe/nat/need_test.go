package nat

import (
	"os"
	"testing"
)

// need ends a test that lacks something on this machine: it skips the test, or
// fails it if TONPROBE_TEST_ALL is set.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("TONPROBE_TEST_ALL") == "1" {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

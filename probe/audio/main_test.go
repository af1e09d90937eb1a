package audio

import (
	"os"
	"testing"
)

// TestMain makes the test binary usable as its own capture process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArg {
		os.Exit(ChildMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

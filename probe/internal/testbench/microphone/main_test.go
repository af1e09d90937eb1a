package microphone

import (
	"os"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio"
)

// TestMain makes the test binary usable as its own capture process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == audio.ChildArg {
		os.Exit(audio.ChildMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

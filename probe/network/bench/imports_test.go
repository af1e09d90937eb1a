package bench

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const self = "github.com/tonprobe/tonprobe/probe/network/bench"

// TestOnlyTestsImportTheBench: it is root's tool, and no part of any program.
func TestOnlyTestsImportTheBench(t *testing.T) {
	const form = `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", form, "github.com/tonprobe/tonprobe/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := false
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		seen = seen || fields[0] == self
		if slices.Contains(fields[1:], self) {
			t.Errorf("%s imports the bench outside a test", fields[0])
		}
	}
	if !seen {
		t.Error("go list does not name the bench: this test sees nothing")
	}
}

package power

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

const (
	envDocument = "TONPROBE_POWER_DOCUMENT" // document whose tables are replaced
	envChecks   = "TONPROBE_POWER_CHECKS"   // checks per cell
)

// TestWriteDocument writes the curves into the given document, or curves of a few
// checks into a copy of the real one.
func TestWriteDocument(t *testing.T) {
	need.Full(t, "simulates many checks")
	file, n := os.Getenv(envDocument), 1000
	if file == "" {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "accuracy-network.md"))
		if err != nil {
			t.Fatal(err)
		}
		file, n = filepath.Join(t.TempDir(), "copy.md"), 2
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv(envChecks); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			t.Fatalf("%s = %q: want a number of checks", envChecks, s)
		}
	}
	p := profile(t)
	for part, tables := range map[string]string{"power-loss": lossTable(n, p), "power-delay": delayTables(n, p)} {
		if err := docpart.Replace(file, part, fmt.Sprintf("%d checks for each cell.\n\n%s", n, tables)); err != nil {
			t.Fatal(err)
		}
	}
}

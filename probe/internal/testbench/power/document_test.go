package power

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

const (
	envDocument = "TONPROBE_POWER_DOCUMENT" // document whose tables are replaced
	envChecks   = "TONPROBE_POWER_CHECKS"   // checks per cell
)

// TestWriteDocument writes the curves into the given document, or curves of a few
// checks into a copy of the real one.
func TestWriteDocument(t *testing.T) {
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
		if err := writeIntoDocument(file, part, fmt.Sprintf("%d checks for each cell.\n\n%s", n, tables)); err != nil {
			t.Fatal(err)
		}
	}
}

// writeIntoDocument replaces the part of a document between two marker lines.
func writeIntoDocument(file, part, tables string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	begin, end := []byte("<!-- "+part+": begin -->\n"), []byte("<!-- "+part+": end -->\n")
	before, rest, begins := bytes.Cut(b, begin)
	_, after, ends := bytes.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("write the tables: %s has no place for %q", file, part)
	}
	whole := bytes.Join([][]byte{before, begin, []byte(tables), end, after}, nil)
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	return nil
}

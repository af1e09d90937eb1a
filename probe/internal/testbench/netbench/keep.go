package netbench

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tonprobe/tonprobe/probe/report"
)

// KeepReport writes the report of a scenario to a folder, for later analysis.
func KeepReport(dir, scenario string, r *report.Report) error {
	b, err := r.Encode()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, scenario+".json"), b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the report of %s: %w", scenario, err)
	}
	return nil
}

package netbench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs are the paths of the real programs, built for this system.
type Programs struct{ Agent, Collector string }

// Build builds the programs of the module at root into a folder.
func Build(dir, root string) (p Programs, err error) {
	cmd := exec.Command("go", "build", "-o", dir+"/", "./cmd/tonprobe", "./cmd/tonprobe-collector")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return Programs{Agent: filepath.Join(dir, "tonprobe"), Collector: filepath.Join(dir, "tonprobe-collector")}, nil
}

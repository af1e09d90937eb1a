// Package rig builds and runs the real programs for cmd/load.
package rig

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

const module = "github.com/tonprobe/tonprobe"

// Build builds one of the programs under cmd into dir and returns its path. It
// requires the Go tools and a working directory within the repository.
func Build(ctx context.Context, dir, program string) (string, error) {
	binary := filepath.Join(dir, program)
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, module+"/cmd/"+program).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", program, err, out)
	}
	return binary, nil
}

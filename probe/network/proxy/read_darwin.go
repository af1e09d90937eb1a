package proxy

import (
	"context"
	"fmt"
	"os/exec"
)

func readSystem(ctx context.Context) (Settings, error) {
	out, err := exec.CommandContext(ctx, "/usr/sbin/scutil", "--proxy").Output()
	if err != nil {
		return Settings{}, fmt.Errorf("read the system's proxy settings: %w", err)
	}
	return parseScutil(string(out)), nil
}

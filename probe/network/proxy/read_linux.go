package proxy

import (
	"context"
	"fmt"
	"os/exec"
)

// readSystem reads the settings of GNOME, which other desktops use as well. Without
// GNOME it returns none.
func readSystem(ctx context.Context) (Settings, error) {
	path, err := exec.LookPath("gsettings")
	if err != nil {
		return Settings{}, nil
	}
	out, err := exec.CommandContext(ctx, path, "list-recursively", "org.gnome.system.proxy").Output()
	if err != nil {
		return Settings{}, fmt.Errorf("read GNOME's proxy settings: %w", err)
	}
	return parseGNOME(string(out)), nil
}

package resident

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kardianos/service"

	"github.com/tonprobe/tonprobe/probe/host/procfile"
)

// Supervised reports whether a service manager started this process, and starts it again when it fails. The
// library recognises only the manager of the system, not that of a person.
func Supervised() bool {
	return !service.Interactive() || isSystemd("/proc", os.Getppid())
}

func isSystemd(proc string, pid int) bool {
	name, err := procfile.Read(filepath.Join(proc, strconv.Itoa(pid), "comm"), 64)
	return err == nil && strings.TrimSpace(name) == "systemd"
}

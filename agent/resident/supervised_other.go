//go:build !linux

package resident

import "github.com/kardianos/service"

// Supervised reports whether a service manager started this process, and starts it again when it fails.
func Supervised() bool { return !service.Interactive() }

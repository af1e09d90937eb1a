//go:build !linux && !windows && !darwin

package watch

import "time"

// systemClocks returns zeros: sleep cannot be detected on this system.
func systemClocks() (awake, elapsed time.Duration) { return 0, 0 }

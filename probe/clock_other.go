//go:build !windows

package probe

import "time"

// Now returns the current time.
func (SystemClock) Now() time.Time { return time.Now() }

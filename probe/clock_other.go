//go:build !windows

package probe

import "time"

// Now returns the present time.
func (SystemClock) Now() time.Time { return time.Now() }

//go:build !linux

package rig

import "time"

// Usage is what a process has used.
type Usage struct {
	CPU              time.Duration
	MemoryMB, PeakMB float64
}

// UsageOf is known on Linux only.
func UsageOf(int) (u Usage, ok bool) { return u, false }

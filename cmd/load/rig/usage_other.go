//go:build !linux

package rig

import "time"

// Usage is the resource usage of a process.
type Usage struct {
	CPU              time.Duration
	MemoryMB, PeakMB float64
}

// UsageOf is implemented on Linux only.
func UsageOf(int) (u Usage, ok bool) { return u, false }

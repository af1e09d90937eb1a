//go:build !linux

package reflector

import "time"

// usage is not available on this system.
type usage struct {
	ok            bool
	child, self   time.Duration
	rssMB, peakMB float64
}

func usageOf(int) usage { return usage{} }

func socketDrops(uint16, map[uint16]bool) (own, others int, ok bool) { return 0, 0, false }

package server

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// garbageRoom is the memory for garbage between two collections, in bytes, unless the heap
	// is large. The runtime's default doubles the heap: with 20,000 connected agents, whose
	// memory is in use but causes no garbage, that is 8 kB for each of them.
	garbageRoom = 48 << 20
	// leastPct limits how often the collector runs, because each run visits the whole heap.
	leastPct = 25
	// defaultPct is the runtime's default.
	defaultPct  = 100
	tuneGCEvery = 10 * time.Second
	liveHeap    = "/gc/heap/live:bytes"
)

// tuneGC adapts the target of the garbage collector to the size of the heap until ctx is done.
// The environment variable GOGC of the runtime takes precedence.
func tuneGC(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	tick := time.NewTicker(tuneGCEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: liveHeap}}
	present := defaultPct
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		if pct := gcPercent(sample[0].Value.Uint64()); pct != present {
			debug.SetGCPercent(pct)
			present = pct
		}
	}
}

// gcPercent returns the target of the garbage collector for a heap with this many bytes in use, in
// percent of the heap ([debug.SetGCPercent]), in steps of 5 because each change starts a
// collection.
func gcPercent(live uint64) int {
	if live == 0 {
		return defaultPct
	}
	pct := 100 * float64(garbageRoom) / float64(live)
	return int(min(max(pct, leastPct), defaultPct)) / 5 * 5
}

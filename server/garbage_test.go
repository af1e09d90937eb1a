package server

import (
	"runtime/metrics"
	"testing"
)

func TestRoomForGarbage(t *testing.T) {
	for live, want := range map[uint64]int{
		0:         100,
		1:         100,
		20 << 20:  100,
		48 << 20:  100,
		96 << 20:  50,
		150 << 20: 30,
		192 << 20: 25,
		1 << 40:   25,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: got %d %%, want %d", live, got, want)
		}
	}
}

// The runtime of this Go version has the metric.
func TestLiveHeapIsKnown(t *testing.T) {
	sample := []metrics.Sample{{Name: liveHeap}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		t.Errorf("%s has kind %v", liveHeap, sample[0].Value.Kind())
	}
}

package recorder

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

func TestTrafficPerDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t.TempDir())
		r.during(t, func() { time.Sleep(24 * time.Hour) })
		if mb := float64(2*r.asked.Load()*linkstate.PacketBytes) / 1e6; mb > 0.07 {
			t.Errorf("got %.3f MB a day to the collector and back, want at most 0.07", mb)
		}
	})
}

// TestThirtyDays: memory and files do not grow, neither without events nor while the
// Wi-Fi drops every hour.
func TestThirtyDays(t *testing.T) {
	need.Full(t, "simulates days")
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.Send = func(context.Context, Incident) error { return nil }
		r.during(t, func() {
			var first [2]uint64
			for day := range 30 {
				for range 24 {
					r.with(59*time.Minute, nil)
					r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
				}
				if day == 2 {
					first = liveResources()
				}
			}
			last := liveResources()
			if last[0] > first[0] || last[1] > first[1]+1<<20 {
				t.Errorf("got goroutines %d, then %d; heap %d, then %d bytes; want no more goroutines and at most 1 MiB more", first[0], last[0], first[1], last[1])
			}
		})
	})
	entries, err := os.ReadDir(filepath.Join(data, Folder))
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	if err != nil || len(entries) != 2 || size > int64(sampleLayout.slotBytes*sampleLayout.slots+eventLayout.slotBytes*eventLayout.slots) {
		t.Errorf("got %d files of %d bytes, %v, want the two rings", len(entries), size, err)
	}
}

// liveResources returns the number of goroutines and the size of the live heap.
func liveResources() [2]uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return [2]uint64{uint64(runtime.NumGoroutine()), m.HeapAlloc}
}

// TestAFullDisk: the recorder continues in memory, and still sends reports.
func TestAFullDisk(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			r.with(time.Minute, nil)
			_ = r.store.samples.close() // every later write fails
			_ = r.store.events.close()
			r.with(30*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		})
		if len(r.sent) != 1 {
			t.Errorf("got %d reports, want 1", len(r.sent))
		}
	})
}

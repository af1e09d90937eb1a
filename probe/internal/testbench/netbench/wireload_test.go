package netbench

import (
	"testing"
	"time"
)

func TestLoadOnTheWire(t *testing.T) {
	c := Check{Took: 10 * time.Second, CPU: 500 * time.Millisecond}
	for i := range 100 { // 100 bytes every 20 ms for 2 s: 40 kbit/s while it runs
		in := int64(i) * 20e6
		c.Truth = append(c.Truth,
			Passage{OfHome: true, Bytes: 100, InNS: in},
			Passage{Bytes: 200, InNS: in, OutNS: []int64{in + 5e6}, Arrived: "home"},
			Passage{Bytes: 200, InNS: in, OutNS: []int64{in + 5e6}, Arrived: "gateway"})
	}
	l := c.Load()
	near(t, "mean up", l.UpKbps, 8, 1e-9)
	near(t, "mean down", l.DownKbps, 16, 1e-9)
	near(t, "peak up", l.PeakUpKbps, 40, 1e-9)
	near(t, "peak down", l.PeakDownKbps, 80, 1e-9)
	near(t, "CPU", l.CPUPct, 5, 1e-9)
}

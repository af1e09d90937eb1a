package conferencetest

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Delays measures the delays that this computer adds to a round trip, until the returned function
// is called: packets are returned on loopback, at the interval of a stream. It returns the 95th
// percentile of the round trips and the longest one, in ms.
func Delays(t testing.TB) (stop func() (p95MS, longestMS float64)) {
	t.Helper()
	listen := func() net.PacketConn {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	near, far := listen(), listen()
	go func() {
		for b := make([]byte, 1); ; {
			_, from, err := far.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = far.WriteTo(b, from)
		}
	}()
	end, trips := make(chan struct{}), make(chan []float64)
	go func() {
		var all []float64
		for b, tick := make([]byte, 1), time.NewTicker(wire.PacketInterval); ; {
			select {
			case <-end:
				tick.Stop()
				trips <- all
				return
			case due := <-tick.C: // a late tick is a delay too
				_, _ = near.WriteTo(b, far.LocalAddr())
				if _, _, err := near.ReadFrom(b); err == nil {
					all = append(all, float64(time.Since(due))/1e6)
				}
			}
		}
	}()
	return func() (p95MS, longestMS float64) {
		t.Helper()
		close(end)
		all := <-trips
		if len(all) == 0 {
			t.Fatal("no packet returned on loopback")
		}
		slices.Sort(all)
		return stats.Percentile(all, 95), all[len(all)-1]
	}
}

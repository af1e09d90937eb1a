package media_test

import (
	"context"
	"encoding/binary"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// stampControl sends packets of its own over loopback while an emulatedLink is in use. Each is
// timestamped on departure and on arrival, so the difference is the error of the timestamps on this
// machine at this time: a few microseconds, unless
//   - the host of a virtual machine interrupts it between the two timestamps, which it can do when the
//     send wakes another processor (an interprocessor interrupt leaves the guest), or
//   - the kernel does not timestamp arrivals yet, because it enables that in a work queue
//     (net_enable_timestamp); until then the time of the read replaces them.
type stampControl struct {
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	count int
	sum   time.Duration
}

func startStampControl(t *testing.T) *stampControl {
	t.Helper()
	var arrived, left arrival.Stamps
	listen := func() *arrival.Conn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return arrival.Wrap(c, &arrived, &left, time.Now)
	}
	from, to := listen(), listen()
	ctx, cancel := context.WithCancel(context.Background())
	c := &stampControl{cancel: cancel}
	t.Cleanup(func() { cancel(); _ = from.Close(); _ = to.Close(); c.work.Wait() })
	c.work.Go(func() {
		packet := make([]byte, 64)
		packet[0], packet[1] = 0x80, 111
		for seq := uint16(0); ; seq++ {
			binary.BigEndian.PutUint16(packet[2:], seq)
			_, _ = from.WriteTo(packet, to.LocalAddr())
			select {
			case <-ctx.Done():
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	c.work.Go(func() {
		buf := make([]byte, 128)
		for {
			n, _, err := to.ReadFromAddrPort(buf)
			if err != nil {
				return
			}
			in := arrived.Take(buf[:n], time.Now())
			if out, ok := left.TakeSent(0, binary.BigEndian.Uint16(buf[2:])); ok {
				c.mu.Lock()
				c.count++
				c.sum += in.Sub(out).Abs()
				c.mu.Unlock()
			}
		}
	})
	return c
}

// stop ends the stream and returns the mean error in ms.
func (c *stampControl) stop() float64 {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == 0 {
		return math.Inf(1)
	}
	return c.sum.Seconds() * 1000 / float64(c.count)
}

package media_test

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/report"
)

// pulled simulates an interface that disappears: the system refuses to send, and
// nothing arrives.
type pulled struct {
	*firewall
	gone atomic.Bool
}

type pulledPackets struct {
	net.PacketConn
	gone *atomic.Bool
}

func (c pulledPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.gone.Load() {
		return 0, &net.OpError{Op: "write", Net: "udp", Err: os.NewSyscallError("sendto", syscall.ENETUNREACH)}
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c pulledPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || !c.gone.Load() {
			return n, from, err
		}
	}
}

type pulledUDP struct {
	transport.UDPConn
	packets pulledPackets
}

func (c pulledUDP) WriteTo(b []byte, to net.Addr) (int, error) { return c.packets.WriteTo(b, to) }
func (c pulledUDP) ReadFrom(b []byte) (int, net.Addr, error)   { return c.packets.ReadFrom(b) }

func (p *pulled) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := p.firewall.ListenUDP(network, at)
	if err != nil {
		return nil, err
	}
	return pulledUDP{c, pulledPackets{c, &p.gone}}, nil
}

func (p *pulled) ListenPacket(network, at string) (net.PacketConn, error) {
	c, err := p.firewall.ListenPacket(network, at)
	if err != nil {
		return nil, err
	}
	return pulledPackets{c, &p.gone}, nil
}

// TestInterfaceGoesAwayMidStream: what arrived is unknown, so no fault is reported,
// and the probe ends.
func TestInterfaceGoesAwayMidStream(t *testing.T) {
	t.Parallel()
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		r := newReflector(t)
		n := &pulled{firewall: newFirewall(t, none, none)}
		e := midStream(func() { n.gone.Store(true) })
		e.Net = n
		return measure(t, t.Context(), e, media.VoiceConfig{
			Signaller: hooked{direct: direct{r}, end: &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}}, Duration: 3 * time.Second,
		})
	})
	if d.State != report.MediaInterrupted || result.Status != report.StatusUnknown {
		t.Errorf("got state %s, status %s; want %s, %s", d.State, result.Status, report.MediaInterrupted, report.StatusUnknown)
	}
}

// steppingClock jumps by an amount on request. Its Sleep follows real time, like
// a timer of the system.
type steppingClock struct {
	probe.SystemClock
	by  time.Duration
	set atomic.Bool
}

func (c *steppingClock) Now() time.Time {
	now := c.SystemClock.Now()
	if c.set.Load() {
		now = now.Add(c.by)
	}
	return now
}

// TestClockStepsMidStream: a measurement across a clock step is either void or
// correct; it never shows a fault of the line. On a real system only the wall clock
// steps, see [TestSuspendMidStream]; another clock may do so as a whole.
func TestClockStepsMidStream(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, 2 * time.Second, -time.Hour, -2 * time.Second} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			r := newReflector(t)
			clock := &steppingClock{by: by}
			e := midStream(func() { clock.set.Store(true) })
			e.Clock = clock
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			result, d := measure(t, ctx, e, media.VoiceConfig{Signaller: direct{r}, Duration: 2 * time.Second})
			if ctx.Err() != nil {
				t.Error("the probe hung")
			}
			if by < 0 && (d.State != report.MediaSelfCheckVoid || d.SelfCheck != "void") {
				t.Errorf("got state %s, self-check %q after the clock was set back, want %s, \"void\"", d.State, d.SelfCheck, report.MediaSelfCheckVoid)
			}
			if result.Status != report.StatusOK && result.Status != report.StatusUnknown {
				t.Errorf("got state %s, status %s %q, want %s or %s", d.State, result.Status, result.Note, report.StatusOK, report.StatusUnknown)
			}
			for name, got := range map[string]*float64{
				"loss up, %": d.UpLossPct, "loss down, %": d.DownLossPct, "jitter up, ms": d.UpJitterMS, "jitter down, ms": d.DownJitterMS,
				"round trip, ms": d.RTTP50MS,
			} {
				if got != nil && (*got < 0 || *got > 20) {
					t.Errorf("%s: got %g on loopback, want 0 to 20", name, *got)
				}
			}
		})
	}
}

// TestSuspendMidStream: the schedule was kept according to the monotonic clock, but the
// delays before and after differ by the time of the suspension.
func TestSuspendMidStream(t *testing.T) {
	t.Parallel()
	var slept atomic.Bool
	wall := func() time.Time {
		now := time.Now().Round(0)
		if slept.Load() {
			now = now.Add(5 * time.Second)
		}
		return now
	}
	e := midStream(func() { slept.Store(true) })
	c := media.VoiceConfig{Signaller: direct{newReflector(t)}, Duration: time.Second}
	result, d := measure(t, t.Context(), e, c.WithWall(wall))
	if d.State != report.MediaSelfCheckVoid || d.SelfCheck != "void" || result.Status != report.StatusUnknown {
		t.Errorf("got state %s, self-check %q, status %s; want %s, \"void\", %s", d.State, d.SelfCheck, result.Status, report.MediaSelfCheckVoid, report.StatusUnknown)
	}
}

package arrival

import (
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"
)

func packet(ssrc uint32, seq uint16) []byte {
	b := make([]byte, 20)
	b[0], b[1] = 0x80, 111
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}

func TestStampsDistinguishPackets(t *testing.T) {
	s := new(Stamps)
	base := time.Now()
	at := func(ssrc, seq int) time.Time { return base.Add(time.Duration(ssrc*1000+seq) * time.Microsecond) }
	for ssrc := range 20 {
		for seq := range 10 {
			s.Note(packet(uint32(ssrc), uint16(seq)), at(ssrc, seq))
		}
	}
	now := base.Add(500 * time.Millisecond)
	for ssrc := range 20 {
		for seq := range 10 {
			if got := s.Take(packet(uint32(ssrc), uint16(seq)), now); !got.Equal(at(ssrc, seq)) {
				t.Errorf("%d/%d: got %v, want %v", ssrc, seq, got, at(ssrc, seq))
			}
		}
	}
	if got := s.Take(packet(3, 3), now); !got.Equal(now) {
		t.Errorf("got %v, want now, because the timestamp was taken before", got)
	}
}

func TestStampsOfADuplicateAreInOrder(t *testing.T) {
	s := new(Stamps)
	base := time.Now()
	p := packet(1, 1)
	s.Note(p, base)
	s.Note(p, base.Add(time.Millisecond))
	now := base.Add(2 * time.Millisecond)
	for i, want := range []time.Duration{0, time.Millisecond, 2 * time.Millisecond} {
		if got := s.Take(p, now).Sub(base); got != want {
			t.Errorf("copy %d: got %v, want %v", i, got, want)
		}
	}
}

func TestStampsIgnoreClockStep(t *testing.T) {
	s := new(Stamps)
	now := time.Now()
	for _, off := range []time.Duration{time.Second, -2 * time.Second} {
		s.Note(packet(1, 1), now.Add(off))
		if got := s.Take(packet(1, 1), now); !got.Equal(now) {
			t.Errorf("a timestamp %v off was accepted", off)
		}
	}
}

func TestStampsIgnoreOtherPackets(t *testing.T) {
	s := new(Stamps)
	for _, b := range [][]byte{nil, {0x80}, make([]byte, 20), {0x80, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		s.Note(b, time.Now())
		if now := time.Now(); !s.Take(b, now).Equal(now) {
			t.Errorf("%x: got another time than that of the read", b)
		}
	}
	for i := range s.slots {
		if s.slots[i].key != 0 {
			t.Error("a packet that is not RTP was stored")
		}
	}
}

func TestStampsSurviveAFlood(t *testing.T) {
	s := new(Stamps)
	base := time.Now()
	for i := range 100_000 {
		s.Note(packet(uint32(i*7919), uint16(i)), base.Add(time.Duration(i)))
	}
	p := packet(42, 42)
	s.Note(p, base.Add(time.Millisecond))
	if got := s.Take(p, base.Add(2*time.Millisecond)); !got.Equal(base.Add(time.Millisecond)) {
		t.Error("the newest packet was lost in the flood")
	}
}

// loopback returns a loopback socket that is closed with the test.
func loopback(t *testing.T) *net.UDPConn {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux provides arrival and departure times")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestArrivalIsNotTheRead lets packets wait in the socket: their timestamps must be
// those of the arrival. The kernel starts timestamping some time after the first
// socket requests it (net_enable_timestamp defers it), so the first packets may
// have the time of the read.
func TestArrivalIsNotTheRead(t *testing.T) {
	const waiting = 10 * time.Millisecond
	conn := loopback(t)
	s := new(Stamps)
	c := Wrap(conn, s, nil, time.Now)
	p, buf := packet(1, 1), make([]byte, 100)
	for end := time.Now().Add(10 * time.Second); ; {
		before := time.Now()
		if _, err := c.WriteTo(p, conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		<-time.After(waiting)
		n, from, err := c.ReadFrom(buf)
		if err != nil || n != len(p) || from.String() != conn.LocalAddr().String() {
			t.Fatalf("got %d bytes from %v, error %v, want %d from %v", n, from, err, len(p), conn.LocalAddr())
		}
		got := s.Take(buf[:n], time.Now())
		// The clock is read twice in succession.
		if !got.Before(before.Add(-time.Millisecond)) && !got.After(sent.Add(waiting/2)) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("got a timestamp %v after the send, want at most %v", got.Sub(sent), waiting/2)
		}
	}
}

// slowCall is a clock that advances by a second with each reading.
type slowCall struct{ at time.Time }

func (c *slowCall) now() time.Time { c.at = c.at.Add(time.Second); return c.at }

func TestDepartureIsWithinTheCall(t *testing.T) {
	conn := loopback(t)
	departures := new(Stamps)
	c := Wrap(conn, new(Stamps), departures, time.Now)
	byKernel := 0
	for seq := range uint16(50) {
		p := packet(7, seq)
		before := time.Now()
		if n, err := c.WriteTo(p, conn.LocalAddr()); err != nil || n != len(p) {
			t.Fatalf("wrote %d bytes, error %v", n, err)
		}
		left, ok := departures.TakeSent(7, seq)
		if !ok || left.Before(before) || left.After(time.Now()) {
			t.Fatalf("packet %d: got known %t, departure %v after the start of the call, want one during the call", seq, ok, left.Sub(before))
		}
		if _, told := c.kernel.told(); told {
			byKernel++
		}
	}
	if asked, _ := c.kernel.told(); asked && byKernel == 0 {
		t.Error("the kernel provided no departure time")
	}
	if _, ok := departures.TakeSent(7, 50); ok {
		t.Error("a packet that was never sent has a departure time")
	}
}

// TestDepartureIgnoresClockStep: the kernel's wall clock differs from this test's
// clock, as after a step; the time before the call is used then.
func TestDepartureIgnoresClockStep(t *testing.T) {
	conn := loopback(t)
	departures := new(Stamps)
	clock := &slowCall{at: time.Now().Add(-time.Hour)}
	c := Wrap(conn, new(Stamps), departures, clock.now)
	if _, err := c.WriteTo(packet(7, 1), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	left, ok := departures.TakeSent(7, 1)
	if !ok || time.Since(left) < 59*time.Minute {
		t.Errorf("got known %t, departure %v ago with a clock that is an hour behind; want true, at least %v", ok, time.Since(left), 59*time.Minute)
	}
}

func TestOnlyRTPIsStamped(t *testing.T) {
	conn := loopback(t)
	departures := new(Stamps)
	c := Wrap(conn, new(Stamps), departures, time.Now)
	if _, err := c.WriteTo([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0}, conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for i := range departures.slots {
		if departures.slots[i].key != 0 {
			t.Fatal("a packet that is not RTP was stored")
		}
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := Wrap(conn, new(Stamps), new(Stamps), time.Now)
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	p, buf := packet(1, 1), make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = conn.WriteToUDPAddrPort(p, to)
		_, _, _ = c.ReadFromAddrPort(buf)
	}); n > 0 {
		t.Errorf("got %v allocations per packet, want 0", n)
	}
}

func FuzzKernelTime(f *testing.F) {
	f.Add(make([]byte, 32))
	f.Add([]byte{32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 35, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) { kernelTime(b) })
}

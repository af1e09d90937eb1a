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

func TestStampsKeepPacketsApart(t *testing.T) {
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
				t.Errorf("%d/%d: %v late", ssrc, seq, got.Sub(at(ssrc, seq)))
			}
		}
	}
	if got := s.Take(packet(3, 3), now); !got.Equal(now) {
		t.Errorf("taken twice: %v", got)
	}
}

func TestStampsOfADoubledPacketComeInOrder(t *testing.T) {
	s := new(Stamps)
	base := time.Now()
	p := packet(1, 1)
	s.Note(p, base)
	s.Note(p, base.Add(time.Millisecond))
	now := base.Add(2 * time.Millisecond)
	for i, want := range []time.Duration{0, time.Millisecond, 2 * time.Millisecond} {
		if got := s.Take(p, now).Sub(base); got != want {
			t.Errorf("copy %d: %v, want %v", i, got, want)
		}
	}
}

func TestStampsBelieveNoJump(t *testing.T) {
	s := new(Stamps)
	now := time.Now()
	for _, off := range []time.Duration{time.Second, -2 * time.Second} {
		s.Note(packet(1, 1), now.Add(off))
		if got := s.Take(packet(1, 1), now); !got.Equal(now) {
			t.Errorf("a stamp %v off was believed", off)
		}
	}
}

func TestStampsIgnoreWhatIsNoRTP(t *testing.T) {
	s := new(Stamps)
	for _, b := range [][]byte{nil, {0x80}, make([]byte, 20), {0x80, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		s.Note(b, time.Now())
		if now := time.Now(); !s.Take(b, now).Equal(now) {
			t.Errorf("%x", b)
		}
	}
	for i := range s.slots {
		if s.slots[i].key != 0 {
			t.Error("something was kept")
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
		t.Error("the flood kept the newest packet out")
	}
}

// TestArrivalIsNotTheRead lets packets wait in the socket before they are read:
// their stamps must be of when they came.
func TestArrivalIsNotTheRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells when a packet arrived")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := new(Stamps)
	c := Wrap(conn, s, time.Now)
	p := packet(1, 1)
	before := time.Now()
	if _, err := c.WriteTo(p, conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	sent := time.Now()
	time.Sleep(30 * time.Millisecond)
	buf := make([]byte, 100)
	n, from, err := c.ReadFrom(buf)
	if err != nil || n != len(p) || from.String() != conn.LocalAddr().String() {
		t.Fatalf("%d bytes from %v, %v", n, from, err)
	}
	got := s.Take(buf[:n], time.Now())
	// Half a millisecond for the difference of the two clocks' readings.
	if got.Before(before.Add(-500*time.Microsecond)) || got.After(sent.Add(5*time.Millisecond)) {
		t.Errorf("stamped %v after it was sent", got.Sub(sent))
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := Wrap(conn, new(Stamps), time.Now)
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	p, buf := packet(1, 1), make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = c.WriteToAddrPort(p, to)
		_, _, _ = c.ReadFromAddrPort(buf)
	}); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func FuzzKernelTime(f *testing.F) {
	f.Add(make([]byte, 32))
	f.Add([]byte{32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 35, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) { kernelTime(b) })
}

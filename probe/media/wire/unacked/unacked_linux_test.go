package unacked

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLimitOfBothEnds: the limit applies to connections that were dialled, and to those that were
// accepted.
func TestLimitOfBothEnds(t *testing.T) {
	lc := net.ListenConfig{Control: Control(11 * time.Second)}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dialled, err := (&net.Dialer{Control: Control(12 * time.Second)}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dialled.Close() }()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepted.Close() }()
	for conn, want := range map[net.Conn]int{dialled: 12_000, accepted: 11_000} {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
			if err != nil || got != want {
				t.Errorf("got %d ms, %v, want %d", got, err, want)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

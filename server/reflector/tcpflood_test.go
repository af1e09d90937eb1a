package reflector

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/internal/turntest"
)

// dialFrom connects from an address of 127.0.0.0/8; each counts as a separate site.
func dialFrom(t *testing.T, from string, to netip.AddrPort) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// isClosed reports whether the other side ends the connection within d.
func isClosed(t *testing.T, c net.Conn, d time.Duration) bool {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	_, err := c.Read(make([]byte, 1))
	if err == nil {
		t.Fatal("unexpected data")
	}
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestIdleConnectionsBlockNobody: idle connections of one site use all slots of a
// port; TURN over TCP still works for another site.
func TestIdleConnectionsBlockNobody(t *testing.T) {
	const places = 64
	r := start(t, func(c *Config) { c.Limits.TCPConns, c.Limits.TCPConnsPerSite = places, places })
	for range places {
		dialFrom(t, "127.0.0.1", r.STUNAddr())
	}
	if err := turntest.Allocate(dialFrom(t, "127.0.0.9", r.STUNAddr()), r.ICE("anna", "127.0.0.1").ICEServers[1]); err != nil {
		t.Fatalf("TURN over TCP: %v", err)
	}
}

// TestConnectionsOfOneSite: the limit applies to each site separately.
func TestConnectionsOfOneSite(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.TCPConnsPerSite = 4 })
	var open []net.Conn
	for range 4 {
		open = append(open, dialFrom(t, "127.0.0.1", r.STUNAddr()))
	}
	if !isClosed(t, dialFrom(t, "127.0.0.1", r.STUNAddr()), 5*time.Second) {
		t.Error("a fifth connection was accepted")
	}
	if isClosed(t, open[0], 50*time.Millisecond) {
		t.Error("the first connection was closed for the fifth")
	}
	if isClosed(t, dialFrom(t, "127.0.0.9", r.STUNAddr()), 50*time.Millisecond) {
		t.Error("another site was refused")
	}
}

// TestTrickleDoesNotHoldASlot: occasional bytes do not keep a connection open
// indefinitely.
func TestTrickleDoesNotHoldASlot(t *testing.T) {
	r := start(t, func(c *Config) {
		c.Limits.TCPIdle, c.Limits.RelayLifetime = 300*time.Millisecond, 200*time.Millisecond
	})
	c := dialFrom(t, "127.0.0.1", r.STUNAddr())
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := c.Write([]byte{0}); err != nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the connection is still open after 10 s")
		}
	}
}

// TestDeclaredLengths: the buffer of a connection is limited to one message, and a
// length that overflows closes it.
func TestDeclaredLengths(t *testing.T) {
	r := start(t)
	for name, head := range map[string]string{
		"STUN that adds up to nothing": "\x00\x01\xff\xec\x21\x12\xa4\x42abcdefghijkl", // 65,516 + 20 = 65,536
		"STUN of 64 kB":                "\x00\x01\xff\xe0\x21\x12\xa4\x42abcdefghijkl",
		"STUN of an odd length":        "\x00\x01\x00\x03\x21\x12\xa4\x42abcdefghijkl",
		"channel data of 64 kB":        "\x40\x00\xff\xff1234567890",
		"neither":                      "GET / HTTP/1.1\r\n\r\n",
	} {
		c := dialFrom(t, "127.0.0.1", r.STUNAddr())
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		if !isClosed(t, c, 5*time.Second) {
			t.Errorf("%s: the connection is still open", name)
		}
	}
}

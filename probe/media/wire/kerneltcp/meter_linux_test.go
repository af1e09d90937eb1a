package kerneltcp

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestMeterOnLoopback checks that each byte counts, whether it was read or not.
func TestMeterOnLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	sender, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sender.Close() }()
	receiver, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	FillQueues(sender)
	m, ok := NewMeter(receiver)
	if !ok {
		t.Fatal("NewMeter failed on Linux")
	}
	const n = 50_000
	if _, err := sender.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for deadline := time.Now().Add(5 * time.Second); sum < n && time.Now().Before(deadline); {
		sum += m.Take()
	}
	if sum != n {
		t.Errorf("got %d bytes, want %d", sum, n)
	}
	if _, err := io.CopyN(io.Discard, receiver, n); err != nil {
		t.Fatal(err)
	}
	if more := m.Take(); more != 0 {
		t.Errorf("got %d more bytes after reading, want none", more)
	}
	_ = receiver.Close()
	if more := m.Take(); more != 0 {
		t.Errorf("got %d bytes on a closed connection, want 0", more)
	}
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if _, ok := NewMeter(a); ok {
		t.Error("NewMeter succeeded for a pipe")
	}
}

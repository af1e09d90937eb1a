package turnframe

import (
	"errors"
	"io"
	"net"
	"testing"
)

func TestMessages(t *testing.T) {
	in, out := net.Pipe()
	defer in.Close()
	messages := []string{
		"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl",
		"\x40\x00\x00\x0512345\x00\x00\x00", // padded
		"\x01\x01\x00\x04\x21\x12\xa4\x42abcdefghijkl1234",
	}
	go func() {
		for _, m := range messages {
			for i := range m { // byte by byte
				_, _ = in.Write([]byte{m[i]})
			}
		}
		_, _ = in.Write([]byte("\x00\x01\xff\xec")) // 65,516 + 20 = 65,536
	}()
	b := make([]byte, MaxBytes+1)
	for _, want := range messages {
		if n, err := (Conn{out}).Read(b); err != nil || string(b[:n]) != want {
			t.Errorf("got %q, error %v; want %q", b[:n], err, want)
		}
	}
	if _, err := (Conn{out}).Read(b); !errors.Is(err, ErrFrame) {
		t.Errorf("got error %v, want %v", err, ErrFrame)
	}
	if _, err := in.Write([]byte{0}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection was not closed: %v", err)
	}
	if _, err := (Conn{out}).Read(b[:100]); !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("buffer too small: got error %v, want %v", err, io.ErrShortBuffer)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"))
	f.Add([]byte("\x40\x00\x00\x05123456\x00\x00\x00\x01\xff\xec"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, out := net.Pipe()
		defer in.Close()
		go func() { _, _ = in.Write(b); _ = in.Close() }()
		c, buf, total := Conn{out}, make([]byte, MaxBytes+1), 0
		for {
			n, err := c.Read(buf)
			if err != nil {
				break
			}
			if n < 4 || n > MaxBytes || n%4 != 0 {
				t.Fatalf("got a message of %d bytes, want a multiple of 4 up to %d", n, MaxBytes)
			}
			total += n
		}
		if total > len(b) {
			t.Fatalf("got %d bytes, want at most the %d of the input", total, len(b))
		}
		_ = out.Close()
	})
}

package nat_test

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestRelayLengthOverflow: the response makes the TURN library read zero bytes in
// an endless loop; the probe must end and close the connection.
func TestRelayLengthOverflow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1500))
		_, _ = c.Write([]byte("\x01\x03\xff\xec\x21\x12\xa4\x42abcdefghijkl")) // 65,516 + 20 = 65,536
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = c.Read(make([]byte, 1500))
		closed <- err
	}()
	d, _ := tryRelays(t, wire.ICEConfig{ICEServers: []wire.ICEServer{{
		URLs: []string{"turn:" + l.Addr().String() + "?transport=tcp"}, Username: "a", Credential: "b",
	}}}, nil)
	if d.TCPAllocated == nil || *d.TCPAllocated || d.TCPError == "" {
		t.Errorf("got %+v, want a failure over TCP with an error", d)
	}
	if err := <-closed; err == nil || isTimeout(err) {
		t.Errorf("the connection is still open: %v", err)
	}
	stacks := make([]byte, 1<<20)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("STUNConn).ReadFrom")) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the probe still reads from the connection")
		}
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

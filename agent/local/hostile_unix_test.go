//go:build unix

package local

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestAFloodIsRefused(t *testing.T) {
	c, _ := start(t, &fakeAgent{}, person)
	var err error
	for range 20 {
		if _, err = c.Enroll(t.Context(), Invitation{}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrBusy) {
		t.Errorf("got %v for 20 codes at once, want %v", err, ErrBusy)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("got %v for another request, want no error", err)
	}
}

// TestAllReportsCanBeRead reads more reports than the service serves at once.
func TestAllReportsCanBeRead(t *testing.T) {
	c, _ := start(t, &fakeAgent{}, person)
	_, atOnce := kindStored.rates()
	for n := range atOnce + 100 {
		if _, err := c.Report(t.Context(), "x"); !errors.Is(err, ErrNoReport) {
			t.Fatalf("request %d: got error %v, want %v", n, err, ErrNoReport)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Report(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

// TestSilentConnectionsDoNotLockOthersOut opens more connections than one account may
// open.
func TestSilentConnectionsDoNotLockOthersOut(t *testing.T) {
	_, address := start(t, &fakeAgent{}, person)
	var conns []net.Conn
	for range maxConnsAccount + 8 {
		conn, err := net.Dial("unix", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		conns = append(conns, conn)
	}
	for _, conn := range conns[maxConnsAccount:] {
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want %v", err, io.EOF)
		}
	}
}

// TestProgramsDoNotLockPeopleOut opens connections of accounts that are not served.
func TestProgramsDoNotLockPeopleOut(t *testing.T) {
	peers := make(chan Peer, 1)
	address := filepath.Join(t.TempDir(), "agent.sock")
	l, err := listen(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d := &admittingListener{Listener: l, log: quiet, open: map[string]int{}, peerOf: func(net.Conn) (Peer, error) { return <-peers, nil }}
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := d.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	connect := func(p Peer) net.Conn {
		t.Helper()
		conn, err := net.Dial("unix", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		peers <- p
		return conn
	}
	var first net.Conn
	for i := range maxConnsOthers {
		connect(Peer{Account: strconv.Itoa(30 + i)})
		if conn := <-accepted; i == 0 {
			first = conn
		}
	}
	refused := connect(Peer{Account: "99"})
	_ = refused.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := refused.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v for one more, want %v", err, io.EOF)
	}
	connect(person)
	_ = (<-accepted).Close()
	_ = first.Close()
	connect(Peer{Account: "99"})
	_ = (<-accepted).Close()
}

func TestMalformedRequests(t *testing.T) {
	agent := &fakeAgent{}
	c, _ := start(t, agent, person)
	for _, body := range []any{"x", map[string]any{"report": "x"}, map[string]any{"report": map[string]any{}}, map[string]any{"report": strings.Repeat("x", report.MaxBytes+2048)}, []int{}} {
		if _, err := c.bytes(t.Context(), http.MethodPost, pathReports, body); err == nil {
			t.Errorf("got no error for %.40v, want one", body)
		}
	}
	if agent.taken > 0 {
		t.Errorf("got %d reports, want none", agent.taken)
	}
}

func TestStaleSocket(t *testing.T) {
	address := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen(address); err == nil {
		t.Error("got no error for a socket in use, want one")
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(address).Status(t.Context()); !errors.Is(err, ErrNoService) {
		t.Errorf("got %v where nobody listens, want %v", err, ErrNoService)
	}
	again, err := listen(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
	if err := os.WriteFile(address, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(address); err == nil {
		t.Error("got no error for a file in place of the socket, want one")
	}
}

// TestPlantedSocket puts a socket where others can write.
func TestPlantedSocket(t *testing.T) {
	dir := t.TempDir()
	address := filepath.Join(dir, "agent.sock")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = c.Close() }()
		}
	}()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(address).Status(t.Context()); !errors.Is(err, ErrForeignSocket) {
		t.Errorf("got %v for a folder for all, want %v", err, ErrForeignSocket)
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, 4242, 4242)); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(address).Status(t.Context()); !errors.Is(err, ErrForeignSocket) {
		t.Errorf("got %v for the folder of another user, want %v", err, ErrForeignSocket)
	}
}

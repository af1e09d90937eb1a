package nat

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// servers returns a configuration with these URLs.
func servers(urls ...string) func(context.Context) (wire.ICEConfig, error) {
	return func(context.Context) (wire.ICEConfig, error) {
		return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: urls}}}, nil
	}
}

// Schedules for tests. With real sockets, a test that expects an answer only uses StandardTimers,
// which do not prolong it.
var (
	// quick takes 620 ms in total, four copies. On a busy machine an answer may take longer.
	quick = Timers{RTO: 40 * time.Millisecond, Rc: 4, Rm: 8}
	// patient, for silence beside an answer, takes 2.25 s in total, three copies.
	patient = Timers{RTO: 250 * time.Millisecond, Rc: 3, Rm: 6}
)

// run runs the probe against the URLs.
func run(t *testing.T, timers Timers, urls ...string) (*report.NAT, probe.Result) {
	t.Helper()
	r, err := New(Config{ICE: servers(urls...), Timers: timers}).Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return r.Data.(*report.NAT), r
}

// reply responds to the n-th request (from 0) of a client. send sends to the client
// from the server's socket.
type reply func(n int, request *stun.Message, from netip.AddrPort, send func([]byte))

// honest sends a correct response.
func honest(_ int, request *stun.Message, from netip.AddrPort, send func([]byte)) {
	send(success(request.TransactionID, from))
}

// success returns a correct response to the request id.
func success(id transactionID, mapped netip.AddrPort, more ...stun.Setter) []byte {
	setters := append([]stun.Setter{
		stun.NewTransactionIDSetter(id), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: mapped.Addr().AsSlice(), Port: int(mapped.Port())},
	}, more...)
	return stun.MustBuild(append(setters, stun.Fingerprint)...).Raw
}

// udpServer runs a STUN server on a loopback address until the end of the test.
func udpServer(t *testing.T, address string, answer reply) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, maxPacket)
		for n := 0; ; n++ {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			request := stun.New()
			if _, err := request.Write(buf[:size]); err != nil {
				continue
			}
			answer(n, request, from.(*net.UDPAddr).AddrPort(), func(b []byte) { _, _ = conn.WriteTo(b, from) })
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// tcpServer does the same over TCP, on the port of at.
func tcpServer(t *testing.T, at netip.AddrPort, answer reply) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			open.Go(func() {
				defer stop()
				serveTCP(conn, answer)
			})
		}
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func serveTCP(conn net.Conn, answer reply) {
	defer func() { _ = conn.Close() }()
	for n := 0; ; n++ {
		b, err := readMessage(conn)
		if err != nil {
			return
		}
		request := stun.New()
		if _, err := request.Write(b); err != nil {
			return
		}
		answer(n, request, conn.RemoteAddr().(*net.TCPAddr).AddrPort(), func(b []byte) { _, _ = conn.Write(b) })
	}
}

// silentTCP accepts and reads, but never responds.
func silentTCP(int, *stun.Message, netip.AddrPort, func([]byte)) {}

// both runs a server with the given replies over UDP and correct ones over TCP.
func both(t *testing.T, udp reply) string {
	t.Helper()
	at := udpServer(t, loopback(t), udp)
	tcpServer(t, at, honest)
	return "stun:" + at.String()
}

// loopback returns an address that is free for UDP and TCP.
func loopback(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePorts(t, "127.0.0.1"))
}

// closedPort returns an address on which nothing listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

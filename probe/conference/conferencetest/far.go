package conferencetest

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v4"
)

// envRTT names the variable with the round trips in ms of the tests of far servers.
const envRTT = "TONPROBE_BENCH_RTT"

// RoundTrips returns the round trips for the tests of far servers: 300 ms, or those that
// TONPROBE_BENCH_RTT names, in ms and separated by commas.
func RoundTrips(t testing.TB) (all []time.Duration) {
	t.Helper()
	for _, text := range strings.Split(cmp.Or(os.Getenv(envRTT), "300"), ",") {
		ms, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: got %v, want ms separated by commas", envRTT, err)
		}
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	return all
}

// Far returns a network with a round trip to every server.
func Far(n transport.Net, roundTrip time.Duration) transport.Net { return farNet{n, roundTrip / 2} }

// farNet is a network that delays TCP connections and UDP packets in each direction.
type farNet struct {
	transport.Net
	away time.Duration
}

func (n farNet) CreateDialer(d *net.Dialer) transport.Dialer { return farDialer{d, n.away} }

// ListenUDP implements transport.Net.
func (n farNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	if err != nil {
		return nil, err
	}
	c := &farConn{UDPConn: conn, away: n.away, got: make(chan packet, 4096)}
	go c.receive()
	return c, nil
}

// farConn delays packets in both directions.
type farConn struct {
	transport.UDPConn
	away time.Duration
	got  chan packet
}

type packet struct {
	b    []byte
	from net.Addr
	due  time.Time
	err  error
}

func (c *farConn) receive() {
	for {
		b := make([]byte, 2048)
		n, from, err := c.UDPConn.ReadFrom(b)
		c.got <- packet{b[:n], from, time.Now().Add(c.away), err}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (c *farConn) ReadFrom(b []byte) (int, net.Addr, error) {
	p := <-c.got
	if errors.Is(p.err, net.ErrClosed) {
		c.got <- p // for the next reader
		return 0, nil, p.err
	}
	time.Sleep(time.Until(p.due))
	return copy(b, p.b), p.from, p.err
}

func (c *farConn) WriteTo(b []byte, to net.Addr) (int, error) {
	sent := slices.Clone(b)
	time.AfterFunc(c.away, func() { _, _ = c.UDPConn.WriteTo(sent, to) })
	return len(b), nil
}

type farDialer struct {
	*net.Dialer
	away time.Duration
}

func (d farDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * d.away) // the TCP handshake
	near, far := net.Pipe()
	go late(c, far, d.away)
	go late(far, c, d.away)
	return near, nil
}

// late forwards what it reads after a delay.
func late(to, from net.Conn, away time.Duration) {
	type piece struct {
		b  []byte
		at time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				pieces <- piece{b[:n], time.Now().Add(away)}
			}
			if err != nil {
				return
			}
		}
	}()
	defer to.Close()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := to.Write(p.b); err != nil {
			from.Close()
		}
	}
}

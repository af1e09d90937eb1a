package bbb_test

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

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

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

// envRTT names the variable with the round trips in ms that TestFarServer measures.
const envRTT = "TONPROBE_BENCH_RTT"

// TestFarServer: the time limits of the steps suffice for a server with a round trip of
// 300 ms.
func TestFarServer(t *testing.T) {
	t.Parallel()
	for _, text := range strings.Split(cmp.Or(os.Getenv(envRTT), "300"), ",") {
		rtt, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: got %v, want ms separated by commas", envRTT, err)
		}
		for _, version := range []string{"2.7", "3.0", "4.0"} {
			t.Run(version+" at "+text+" ms", func(t *testing.T) {
				t.Parallel()
				r := bbbrig.Start(t, bbbrig.Config{Version: version})
				e := probetest.Env(t)
				e.Net = farNet{e.Net, time.Duration(rtt) * time.Millisecond / 2}
				v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, r.JoinLink()), RootCAs: r.Roots, Direct: true}, e)
				defer v.Close()
				began := time.Now()
				bbb.System{}.Check(t.Context(), v)
				t.Logf("%.1f s", time.Since(began).Seconds())
				conferencetest.Want(t, v.Data, heard)
				for _, c := range v.Data.Checks {
					if c.MS != nil {
						t.Logf("%s %.0f ms", c.Name, *c.MS)
					}
				}
				if !r.Left(8 * time.Second) {
					t.Errorf("left behind: %+v, want nothing", r.Count())
				}
			})
		}
	}
}

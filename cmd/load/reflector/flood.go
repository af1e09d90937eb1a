package reflector

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// targets are the ports of the reflector.
type targets struct{ stun, media netip.AddrPort }

// floods are attacks that need no credentials. All come from 127.0.0.1. The
// reflector does not rate limit responses to its own machine, so the UDP floods
// show their cost without the rate limit.
var floods = map[string]func(context.Context, targets, *atomic.Int64) error{
	// Connections that send nothing, opened again as soon as they are closed.
	"idle": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		return connect(ctx, to.stun, "", 5000, sent)
	},
	// A declared length of 64 kB that is never sent, and one that overflows to an
	// empty message.
	"declared": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		return connect(ctx, to.stun, "\x00\x01\xff\xe0\x21\x12\xa4\x42abcdefghijkl", 2500, sent)
	},
	"zero": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		return connect(ctx, to.stun, "\x00\x01\xff\xec\x21\x12\xa4\x42abcdefghijkl", 2500, sent)
	},
	"binding": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		return datagrams(ctx, to.stun, stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, sent)
	},
	"challenge": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		return datagrams(ctx, to.stun, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw, sent)
	},
	"junk": func(ctx context.Context, to targets, sent *atomic.Int64) error {
		junk := make([]byte, 200)
		for i := range junk {
			junk[i] = byte(rand.Uint32())
		}
		junk[0] = 0x80 // looks like RTP
		return datagrams(ctx, to.media, junk, sent)
	},
}

func floodNames() string { return strings.Join(slices.Sorted(maps.Keys(floods)), ", ") }

// connect keeps up to n connections open on which say was sent.
func connect(ctx context.Context, to netip.AddrPort, say string, n int, sent *atomic.Int64) error {
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, n)
	pace := time.NewTicker(time.Millisecond) // otherwise this machine runs out of ports
	defer pace.Stop()
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return nil
		}
		conn, err := net.DialTimeout("tcp", to.String(), time.Second)
		if err != nil {
			<-places
			continue // a refused connection is a response
		}
		sent.Add(1)
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		all.Go(func() {
			defer func() { stop(); _ = conn.Close(); <-places }()
			_, _ = conn.Write([]byte(say))
			_, _ = conn.Read(make([]byte, 1))
		})
	}
}

// datagrams sends b repeatedly at a limited rate, so that the sender does not use
// the CPU time of what is measured.
func datagrams(ctx context.Context, to netip.AddrPort, b []byte, sent *atomic.Int64) error {
	const perTick, tick = 20, time.Millisecond
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return fmt.Errorf("open the flood's socket: %w", err)
	}
	defer conn.Close()
	go func() { // otherwise its buffer fills up and blocks the responses
		for buf := make([]byte, 2048); ; {
			if _, err := conn.Read(buf); err != nil && ctx.Err() != nil {
				return
			}
		}
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for range perTick {
			if _, err := conn.Write(b); err == nil {
				sent.Add(1)
			}
		}
	}
}

// bystander is an agent from another address that uses TURN over TCP during the
// flood.
type bystander struct {
	tookMS []float32
	failed int
}

func (s *bystander) run(ctx context.Context, to netip.AddrPort, username, password string) {
	for ctx.Err() == nil {
		began := time.Now()
		err := allocate(ctx, to, username, password)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.failed++
		default:
			s.tookMS = append(s.tookMS, float32(time.Since(began).Seconds()*1e3))
		}
		select {
		case <-ctx.Done():
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// allocate allocates and deallocates a relay.
func allocate(ctx context.Context, to netip.AddrPort, username, password string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}} // rate limits are per IPv4 address
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: to.String(), Conn: turn.NewSTUNConn(conn), Username: username, Password: password,
	})
	if err != nil {
		return fmt.Errorf("TURN: %w", err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return fmt.Errorf("TURN: %w", err)
	}
	relay, err := client.Allocate()
	if err != nil {
		return fmt.Errorf("allocate: %w", err)
	}
	return relay.Close()
}

// underFlood runs a flood and the bystander until stop is called.
func underFlood(ctx context.Context, name string, c *child, media netip.AddrPort, f *figures) (stop func(), err error) {
	a, err := c.ask(request{Op: "relay"})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var sent atomic.Int64
	var all sync.WaitGroup
	all.Go(func() { f.floodFault = floods[name](ctx, targets{a.Addr, media}, &sent) })
	all.Go(func() { f.bystander.run(ctx, a.Addr, a.Username, a.Credential) })
	began := time.Now()
	return func() {
		f.FloodPerSecond = float64(sent.Load()) / time.Since(began).Seconds()
		cancel()
		all.Wait()
		slices.Sort(f.bystander.tookMS)
	}, nil
}

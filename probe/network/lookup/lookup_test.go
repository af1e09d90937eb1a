package lookup

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// server responds to the n-th query for a family after a delay; a negative delay
// means never.
type server struct {
	mu    sync.Mutex
	asked map[string]int
	after map[string][]time.Duration
	reply map[string]answer
}

func (s *server) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	s.mu.Lock()
	n := s.asked[network]
	s.asked[network]++
	s.mu.Unlock()
	d := time.Duration(-1)
	if n < len(s.after[network]) {
		d = s.after[network][n]
	}
	if d < 0 {
		<-ctx.Done()
		return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	}
	if !wait(ctx, d) {
		return nil, ctx.Err()
	}
	return s.reply[network].addrs, s.reply[network].err
}

func TestPatient(t *testing.T) {
	const never = -1
	ms := func(all ...int) (out []time.Duration) {
		for _, n := range all {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	four := answer{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	six := answer{addrs: []netip.Addr{netip.MustParseAddr("2001:db8::1")}}
	none := answer{err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	broken := answer{err: &net.DNSError{Err: "server misbehaving"}}
	for name, c := range map[string]struct {
		after4, after6 []time.Duration
		reply4, reply6 answer
		addrs          int
		err            error
		took           time.Duration
	}{
		"both at once":            {ms(20), ms(20), four, six, 2, nil, 20 * time.Millisecond},
		"IPv4 alone":              {ms(20), ms(20), four, none, 1, nil, 20 * time.Millisecond},
		"no such name":            {ms(20), ms(30), none, none, 0, none.err, 30 * time.Millisecond},
		"server failure":          {ms(20), ms(30), broken, none, 0, broken.err, 30 * time.Millisecond},
		"one packet lost":         {ms(never, 20), ms(20), four, six, 2, nil, 620 * time.Millisecond},
		"no response for IPv4":    {nil, ms(20), four, six, 1, nil, 2020 * time.Millisecond},
		"both lost once":          {ms(never, 20), ms(never, 20), four, none, 1, nil, 620 * time.Millisecond},
		"lost twice":              {ms(never, never, 20), ms(never, never, 20), four, six, 2, nil, 1520 * time.Millisecond},
		"no response for IPv6":    {ms(20), ms(never, never, never), four, six, 1, nil, 270 * time.Millisecond},
		"slow, second query sent": {ms(700, 700), ms(700, 700), four, none, 1, nil, 700 * time.Millisecond},
		"no response at all":      {nil, nil, four, six, 0, context.DeadlineExceeded, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			s := &server{asked: map[string]int{}, after: map[string][]time.Duration{"ip4": c.after4, "ip6": c.after6},
				reply: map[string]answer{"ip4": c.reply4, "ip6": c.reply6}}
			start := time.Now()
			addrs, err := Patient{Resolver: s}.LookupNetIP(ctx, "ip", "x.example")
			if len(addrs) != c.addrs {
				t.Errorf("%s: got %v, error %v; want %d addresses", name, addrs, err, c.addrs)
			}
			if !errors.Is(err, c.err) && !(c.err == context.DeadlineExceeded && isTimeout(err)) {
				t.Errorf("%s: got error %v, want %v", name, err, c.err)
			}
			if took := time.Since(start); took != c.took {
				t.Errorf("%s took %v, want %v", name, took, c.took)
			}
			cancel()
			synctest.Wait()
		})
	}
}

type fixed []netip.Addr

func (f fixed) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return f, nil }

func TestDialerUsesTheAddressThatAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed atomic.Int32
		d := Dialer{Resolver: fixed{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, Timeout: 3 * time.Second,
			Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
				if address == "192.0.2.2:443" {
					time.Sleep(100 * time.Millisecond) // too late, but still received
					return closing{&closed}, nil
				}
				if address != "192.0.2.1:443" {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				time.Sleep(300 * time.Millisecond)
				return closing{new(atomic.Int32)}, nil
			}}
		start := time.Now()
		conn, err := d.DialContext(t.Context(), "tcp", "x.example:443")
		if err != nil || conn == nil || time.Since(start) != 550*time.Millisecond {
			t.Errorf("got error %v after %v, want a connection after 550ms", err, time.Since(start))
		}
		time.Sleep(time.Second)
		if closed.Load() != 1 {
			t.Errorf("closed %d late connections, want 1", closed.Load())
		}
		if _, err := d.DialContext(t.Context(), "tcp", "nonsense"); err == nil {
			t.Error("an address without a port was accepted")
		}
	})
}

type closing struct{ closed *atomic.Int32 }

func (c closing) Close() error                   { c.closed.Add(1); return nil }
func (closing) Read([]byte) (int, error)         { return 0, io.EOF }
func (closing) Write(b []byte) (int, error)      { return len(b), nil }
func (closing) LocalAddr() net.Addr              { return nil }
func (closing) RemoteAddr() net.Addr             { return nil }
func (closing) SetDeadline(time.Time) error      { return nil }
func (closing) SetReadDeadline(time.Time) error  { return nil }
func (closing) SetWriteDeadline(time.Time) error { return nil }

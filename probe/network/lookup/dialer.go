package lookup

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// HeadStart is the delay before the next address is tried concurrently (RFC 8305 §5).
const HeadStart = 250 * time.Millisecond

// Dialer connects to names like net.Dialer, with its own Resolver.
type Dialer struct {
	Resolver Resolver
	// Timeout limits name resolution and connection together.
	Timeout time.Duration
	// Dial connects to an address; nil means the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DialContext connects to the first address that answers.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	dial := d.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return dial(ctx, network, address)
	}
	addrs, err := d.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return race(ctx, addrs, func(ctx context.Context, a netip.Addr) (net.Conn, error) {
		return dial(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
	})
}

// race returns the first established connection of all attempts, each delayed by its head start; later ones are closed.
func race(ctx context.Context, addrs []netip.Addr, dial func(context.Context, netip.Addr) (net.Conn, error)) (net.Conn, error) {
	type dialled struct {
		conn net.Conn
		err  error
	}
	// It ends the other attempts; the context of an attempt does not affect its connection.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialled, len(addrs))
	for i, a := range addrs {
		go func() {
			if !wait(ctx, time.Duration(i)*HeadStart) {
				results <- dialled{err: ctx.Err()}
				return
			}
			conn, err := dial(ctx, a)
			results <- dialled{conn, err}
		}()
	}
	var last error
	for i := range addrs {
		r := <-results
		if r.err != nil {
			last = r.err
			continue
		}
		go func() {
			for range len(addrs) - 1 - i {
				if late := <-results; late.conn != nil {
					_ = late.conn.Close()
				}
			}
		}()
		return r.conn, nil
	}
	return nil, last
}

package probe

import (
	"context"
	"fmt"
	"net"
)

// Dial connects through Net and returns when ctx is done. transport.Net does not
// support contexts; if an attempt cannot be interrupted, it continues in the
// background, and its connection is closed if it still succeeds.
func (e Env) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return e.DialWith(ctx, &net.Dialer{}, network, address)
}

// DialWith is Dial with socket options.
func (e Env) DialWith(ctx context.Context, with *net.Dialer, network, address string) (net.Conn, error) {
	dialer := e.Net.CreateDialer(with)
	if d, ok := dialer.(interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}); ok {
		return d.DialContext(ctx, network, address)
	}
	type dialled struct {
		conn net.Conn
		err  error
	}
	result := make(chan dialled, 1)
	go func() {
		conn, err := dialer.Dial(network, address)
		result <- dialled{conn, err}
	}()
	select {
	case r := <-result:
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-result; r.conn != nil {
				_ = r.conn.Close()
			}
		}()
		return nil, fmt.Errorf("dial %s: %w", network, ctx.Err())
	}
}

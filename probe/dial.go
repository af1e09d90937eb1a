package probe

import (
	"context"
	"fmt"
	"net"
)

// Dial connects over Net and gives up when ctx is done. transport.Net itself
// knows no context; where it cannot be interrupted, the attempt is left behind
// and its connection closed when it comes after all.
func (e Env) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return e.DialWith(ctx, &net.Dialer{}, network, address)
}

// DialWith is Dial with options of the socket.
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

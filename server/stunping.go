package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/stun/v2"
)

// stunAnswers asks our own reflector what agents ask it. Only an answer shows
// that its socket is still read.
func stunAnswers(ctx context.Context, addr netip.AddrPort) error {
	const patience = 250 * time.Millisecond // loopback; ctx bounds the whole
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", addr.String())
	if err != nil {
		return fmt.Errorf("ask the reflector: %w", err)
	}
	defer func() { _ = c.Close() }()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return fmt.Errorf("ask the reflector: %w", err)
	}
	buffer := make([]byte, 1500)
	for ctx.Err() == nil {
		if _, err := c.Write(request.Raw); err != nil {
			return fmt.Errorf("ask the reflector: %w", err)
		}
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return fmt.Errorf("ask the reflector: %w", err)
		}
		n, err := c.Read(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil { // such as "connection refused": nobody listens
			return fmt.Errorf("ask the reflector: %w", err)
		}
		answer := &stun.Message{Raw: buffer[:n]}
		if answer.Decode() == nil && answer.Type == stun.BindingSuccess && answer.TransactionID == request.TransactionID {
			return nil
		}
	}
	return fmt.Errorf("the reflector does not answer: %w", ctx.Err())
}

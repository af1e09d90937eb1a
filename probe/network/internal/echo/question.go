package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
)

// Question sends one packet and waits for its answer.
type Question func(context.Context) (Reply, error)

// ClosedPort is the echo service of TCP (RFC 862), which routers do not offer any more: they refuse
// at once, and refusals are not rate limited, unlike ICMP errors.
const ClosedPort = "7"

// STUN sends one binding request and never retransmits it, which would hide the loss to be measured.
func STUN(ctx context.Context, env probe.Env, to netip.AddrPort) (Reply, error) {
	request, err := BindingRequest(env)
	if err != nil {
		return Reply{}, err
	}
	conn, err := env.Net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return Reply{}, fmt.Errorf("open a socket for STUN: %w", err)
	}
	return ExchangeSTUN(ctx, env, conn, to.Addr(), request)
}

// BindingRequest returns a STUN request with a transaction id of its own and more attributes.
func BindingRequest(env probe.Env, more ...stun.Setter) (*stun.Message, error) {
	var id [stun.TransactionIDSize]byte
	if _, err := io.ReadFull(env.Rand, id[:]); err != nil {
		return nil, fmt.Errorf("create a transaction id: %w", err)
	}
	request, err := stun.Build(append([]stun.Setter{stun.NewTransactionIDSetter(id), stun.BindingRequest}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("build a STUN request: %w", err)
	}
	return request, nil
}

// ExchangeSTUN sends a request over conn, which it closes, and waits for any response, including
// errors.
func ExchangeSTUN(ctx context.Context, env probe.Env, conn net.Conn, to netip.Addr, request *stun.Message) (Reply, error) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := env.Clock.Now()
	if _, err := conn.Write(request.Raw); err != nil {
		return Reply{}, fmt.Errorf("send a STUN request: %w", err)
	}
	b := make([]byte, 2048)
	for {
		n, err := conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return Reply{}, ErrSilent
		}
		if err != nil { // refused: nothing listens there
			return Reply{}, fmt.Errorf("receive a STUN answer: %w", err)
		}
		m := &stun.Message{Raw: append([]byte(nil), b[:n]...)}
		if m.Decode() == nil && m.TransactionID == request.TransactionID && m.Type.Class != stun.ClassRequest {
			return Reply{From: to, Kind: Reached, RTT: env.Clock.Now().Sub(sent)}, nil
		}
	}
}

// TCP connects; a refusal is an answer as well. A retransmitted SYN counts as lost, even if the
// connection was established in the end.
func TCP(ctx context.Context, env probe.Env, to netip.Addr, port string) (Reply, error) {
	start := env.Clock.Now()
	conn, err := env.Dial(ctx, "tcp", net.JoinHostPort(to.String(), port))
	r := Reply{From: to, Kind: Reached, RTT: env.Clock.Now().Sub(start)}
	if err == nil {
		defer func() { _ = conn.Close() }()
		if wasRepeated(conn) {
			return Reply{}, ErrSilent
		}
		return r, nil
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case probe.IsRefused(err):
		return r, nil
	case ok && timeout.Timeout(), ctx.Err() != nil:
		return Reply{}, ErrSilent
	}
	return Reply{}, fmt.Errorf("connect to the server: %w", err)
}

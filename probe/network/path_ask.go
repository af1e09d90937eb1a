package network

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
	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// askSTUN sends one binding request and never retransmits it, which would hide the loss to be measured.
func askSTUN(ctx context.Context, env probe.Env, to netip.AddrPort) (echo.Reply, error) {
	request, err := bindingRequest(env)
	if err != nil {
		return echo.Reply{}, err
	}
	conn, err := env.Net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return echo.Reply{}, fmt.Errorf("open a socket for STUN: %w", err)
	}
	return exchangeSTUN(ctx, env, conn, to.Addr(), request)
}

func bindingRequest(env probe.Env, more ...stun.Setter) (*stun.Message, error) {
	var id [stun.TransactionIDSize]byte
	if _, err := io.ReadFull(env.Rand, id[:]); err != nil {
		return nil, fmt.Errorf("draw a transaction id: %w", err)
	}
	request, err := stun.Build(append([]stun.Setter{stun.NewTransactionIDSetter(id), stun.BindingRequest}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("build a STUN request: %w", err)
	}
	return request, nil
}

// exchangeSTUN sends a request over conn, which it closes, and waits for any response, including
// errors.
func exchangeSTUN(ctx context.Context, env probe.Env, conn net.Conn, to netip.Addr, request *stun.Message) (echo.Reply, error) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := env.Clock.Now()
	if _, err := conn.Write(request.Raw); err != nil {
		return echo.Reply{}, fmt.Errorf("send a STUN request: %w", err)
	}
	b := make([]byte, 2048)
	for {
		n, err := conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return echo.Reply{}, echo.ErrSilent
		}
		if err != nil { // refused: nothing listens there
			return echo.Reply{}, fmt.Errorf("receive a STUN answer: %w", err)
		}
		m := &stun.Message{Raw: append([]byte(nil), b[:n]...)}
		if m.Decode() == nil && m.TransactionID == request.TransactionID && m.Type.Class != stun.ClassRequest {
			return echo.Reply{From: to, Kind: echo.Reached, RTT: env.Clock.Now().Sub(sent)}, nil
		}
	}
}

// askTCP connects; a refusal is an answer as well. A retransmitted SYN counts as lost, even if the
// connection was established in the end.
func askTCP(ctx context.Context, env probe.Env, to netip.Addr, port string) (echo.Reply, error) {
	start := env.Clock.Now()
	conn, err := env.Dial(ctx, "tcp", net.JoinHostPort(to.String(), port))
	r := echo.Reply{From: to, Kind: echo.Reached, RTT: env.Clock.Now().Sub(start)}
	if err == nil {
		defer func() { _ = conn.Close() }()
		if wasRepeated(conn) {
			return echo.Reply{}, echo.ErrSilent
		}
		return r, nil
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case probe.IsRefused(err):
		return r, nil
	case ok && timeout.Timeout(), ctx.Err() != nil:
		return echo.Reply{}, echo.ErrSilent
	}
	return echo.Reply{}, fmt.Errorf("connect to the server: %w", err)
}

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

// askSTUN sends one binding request and never repeats it: a repeated one would
// hide the loss that is looked for.
func askSTUN(ctx context.Context, env probe.Env, to netip.AddrPort) (echo.Reply, error) {
	var id [stun.TransactionIDSize]byte
	if _, err := io.ReadFull(env.Rand, id[:]); err != nil {
		return echo.Reply{}, fmt.Errorf("draw a transaction id: %w", err)
	}
	request, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingRequest)
	if err != nil {
		return echo.Reply{}, fmt.Errorf("build a STUN request: %w", err)
	}
	conn, err := env.Net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return echo.Reply{}, fmt.Errorf("open a socket for STUN: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := env.Clock.Now()
	if _, err := conn.Write(request.Raw); err != nil {
		return echo.Reply{}, fmt.Errorf("send a STUN request: %w", err)
	}
	b := make([]byte, 1500)
	for {
		n, err := conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return echo.Reply{}, echo.ErrSilent
		}
		if err != nil { // refused: nobody listens there
			return echo.Reply{}, fmt.Errorf("receive a STUN answer: %w", err)
		}
		m := &stun.Message{Raw: append([]byte(nil), b[:n]...)}
		if m.Decode() == nil && m.TransactionID == id && m.Type.Class != stun.ClassRequest {
			return echo.Reply{From: to.Addr(), Kind: echo.Reached, RTT: env.Clock.Now().Sub(sent)}, nil
		}
	}
}

// askTCP connects; being refused is an answer as well. A SYN that the system had
// to repeat was lost, although the connection came about in the end.
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

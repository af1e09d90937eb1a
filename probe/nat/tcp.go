package nat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// Further attempts to connect are started while the first one continues: the system retransmits a lost SYN only after 1 s
// and 3 s, which is too late here.
const (
	dialAttempts = 3
	dialSpacing  = 400 * time.Millisecond
)

const stunHeaderBytes = 20

// askTCP performs a request over TCP within total.
func askTCP(ctx context.Context, env probe.Env, total time.Duration, to netip.AddrPort) (e exchange) {
	outer := ctx
	within(ctx, env, total, func(ctx context.Context) {
		conn, err := dialSeveral(ctx, env, to)
		if err != nil {
			e = failed(err)
		} else {
			e = askConn(ctx, env, conn)
			_ = conn.Close()
		}
		if e.state == notAsked && ctx.Err() != nil && outer.Err() == nil {
			e.state = silent // no response in the whole time
		}
	})
	return e
}

// dialSeveral connects with the first of several attempts that succeeds. The first definite error ends it: only silence
// justifies another attempt.
func dialSeveral(ctx context.Context, env probe.Env, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialled, dialAttempts)
	for i := range dialAttempts {
		go func() {
			if err := env.Clock.Sleep(ctx, time.Duration(i)*dialSpacing); err != nil {
				results <- dialled{err: err}
				return
			}
			conn, err := env.Dial(ctx, "tcp", to.String())
			results <- dialled{conn, err}
		}()
	}
	r := <-results
	go closeRest(results, dialAttempts-1)
	return r.conn, r.err
}

// dialled is the result of one attempt to connect.
type dialled struct {
	conn net.Conn
	err  error
}

// closeRest closes the n connections that may be established too late.
func closeRest(results <-chan dialled, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			_ = r.conn.Close()
		}
	}
}

// askConn sends one request and reads its response. TCP retransmits, so there is one copy (RFC 8489 §6.2.2).
func askConn(ctx context.Context, env probe.Env, conn net.Conn) exchange {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	id, err := newTransactionID(env.Rand)
	if err != nil {
		return exchange{}
	}
	request, err := bindingRequest(id)
	if err != nil {
		return exchange{}
	}
	sent := env.Clock.Now()
	if _, err := conn.Write(request); err != nil {
		return exchange{}
	}
	for {
		raw, err := readMessage(conn)
		if err != nil {
			env.Log.Debug("no STUN answer over TCP", "err", err)
			return exchange{}
		}
		b, err := parseBinding(raw, id)
		if err != nil {
			continue
		}
		e := exchange{binding: b, state: answered, transmissions: 1, rtt: env.Clock.Now().Sub(sent)}
		if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
			e.compare(uint16(a.Port), []netip.Addr{a.AddrPort().Addr()})
		}
		return e
	}
}

// readMessage reads one STUN message from a stream. The header contains the length (RFC 8489 §5); invalid framing means that
// the peer is not a STUN server.
func readMessage(r io.Reader) ([]byte, error) {
	b := make([]byte, stunHeaderBytes, maxPacket)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read a STUN header: %w", err)
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if b[0]&0xc0 != 0 || n%4 != 0 || stunHeaderBytes+n > maxPacket {
		return nil, errors.New("read a STUN header: not STUN")
	}
	b = b[:stunHeaderBytes+n]
	if _, err := io.ReadFull(r, b[stunHeaderBytes:]); err != nil {
		return nil, fmt.Errorf("read a STUN message: %w", err)
	}
	return b, nil
}

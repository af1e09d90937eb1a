package echo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

type system struct{}

// Ask uses an ICMP socket that macOS permits every program to open (SOCK_DGRAM,
// icmp(4)).
func (system) Ask(ctx context.Context, to netip.Addr, ttl int) (Reply, error) {
	to = to.Unmap()
	conn, err := listen(to, ttl)
	if err != nil {
		return Reply{}, permission(fmt.Errorf("open a socket for an echo: %w", err))
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// Unlike Linux, macOS delivers all responses to each ICMP socket, so both
	// numbers must match.
	echo := &icmp.Echo{ID: rand.IntN(1 << 16), Seq: rand.IntN(1 << 16), Data: make([]byte, PayloadBytes)}
	var kind icmp.Type = ipv4.ICMPTypeEcho
	if to.Is6() {
		kind = ipv6.ICMPTypeEchoRequest
	}
	packet, err := (&icmp.Message{Type: kind, Body: echo}).Marshal(nil)
	if err != nil {
		return Reply{}, fmt.Errorf("write an echo: %w", err)
	}
	sent := time.Now()
	if _, err := conn.WriteTo(packet, &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}); err != nil {
		return Reply{}, permission(fmt.Errorf("send an echo: %w", err))
	}
	r, err := receive(conn, to, echo)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Reply{}, ErrSilent
	}
	r.RTT = time.Since(sent)
	return r, err
}

func listen(to netip.Addr, ttl int) (*icmp.PacketConn, error) {
	if to.Is6() {
		conn, err := icmp.ListenPacket("udp6", "::")
		if err == nil && ttl > 0 {
			err = conn.IPv6PacketConn().SetHopLimit(ttl)
		}
		return conn, err
	}
	conn, err := icmp.ListenPacket("udp4", "0.0.0.0")
	if err == nil && ttl > 0 {
		err = conn.IPv4PacketConn().SetTTL(ttl)
	}
	return conn, err
}

func receive(conn *icmp.PacketConn, to netip.Addr, echo *icmp.Echo) (Reply, error) {
	protocol := 1
	if to.Is6() {
		protocol = 58
	}
	b := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			return Reply{}, err
		}
		m, err := icmp.ParseMessage(protocol, b[:n])
		if err != nil {
			continue
		}
		if kind := kindOf(m, to.Is6(), echo); kind != 0 {
			return Reply{From: addrOf(from), Kind: kind, ICMPError: kind != Reached}, nil
		}
	}
}

func kindOf(m *icmp.Message, is6 bool, echo *icmp.Echo) Kind {
	switch body := m.Body.(type) {
	case *icmp.Echo:
		answer := m.Type == ipv4.ICMPTypeEchoReply || m.Type == ipv6.ICMPTypeEchoReply
		if answer && body.ID == echo.ID && body.Seq == echo.Seq {
			return Reached
		}
	case *icmp.TimeExceeded:
		if quotes(body.Data, is6, echo) {
			return Expired
		}
	case *icmp.DstUnreach:
		if !quotes(body.Data, is6, echo) {
			return 0
		}
		if is6 {
			return kindOf6(typeUnreachable6, byte(m.Code))
		}
		return kindOf4(typeUnreachable4, byte(m.Code))
	}
	return 0
}

// quotes reports whether an ICMP error quotes our packet: its IP header and the
// first eight bytes of ICMP (RFC 792).
func quotes(b []byte, is6 bool, echo *icmp.Echo) bool {
	header := 40
	if !is6 {
		if len(b) == 0 {
			return false
		}
		header = int(b[0]&0x0f) * 4
	}
	if len(b) < header+8 {
		return false
	}
	b = b[header:]
	return int(binary.BigEndian.Uint16(b[4:])) == echo.ID && int(binary.BigEndian.Uint16(b[6:])) == echo.Seq
}

func addrOf(a net.Addr) netip.Addr {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// permission maps EHOSTUNREACH to ErrNotPermitted: macOS 15 returns it to a program
// without the Local Network permission, so it says nothing about the router.
func permission(err error) error {
	if errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return err
}

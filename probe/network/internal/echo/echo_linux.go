package echo

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

type system struct{}

// Ask uses a ping socket if net.ipv4.ping_group_range permits it, otherwise UDP.
// The responses of routers arrive in the socket's error queue (IP_RECVERR, ip(7)).
// Neither requires privileges.
func (system) Ask(ctx context.Context, to netip.Addr, ttl int) (Reply, error) {
	to = to.Unmap()
	s, err := open(to, ttl)
	if err != nil {
		return Reply{}, fmt.Errorf("open a socket for an echo: %w", err)
	}
	defer s.close()
	stop := context.AfterFunc(ctx, func() { _ = s.file.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := time.Now()
	if _, err := s.file.Write(s.packet()); err != nil {
		return Reply{}, permission(fmt.Errorf("send an echo: %w", err))
	}
	r, err := s.receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Reply{}, ErrSilent
	}
	r.RTT = time.Since(sent)
	return r, err
}

// socket is used for one packet, so that each response on it belongs to that
// packet.
type socket struct {
	file  *os.File
	isUDP bool
	to    netip.Addr
	port  uint16 // 0 for an echo request, which has no port
	local netip.Addr
}

func (s *socket) close() { _ = s.file.Close() }

// portUDP is open in more firewalls than the high ports of traceroute.
const portUDP = 443

func open(to netip.Addr, ttl int) (*socket, error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if to.Is6() {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	s := &socket{to: to}
	fd, err := unix.Socket(family, kind, protocol)
	if err != nil {
		s.isUDP = true
		if fd, err = unix.Socket(family, kind, unix.IPPROTO_UDP); err != nil {
			return nil, permission(err)
		}
	}
	if err := s.prepare(fd, ttl); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.file = os.NewFile(uintptr(fd), "echo")
	return s, nil
}

func (s *socket) prepare(fd, ttl int) error {
	level, recvErr, hops := unix.SOL_IP, unix.IP_RECVERR, unix.IP_TTL
	port := int(cmp.Or(s.port, portUDP))
	var address unix.Sockaddr = &unix.SockaddrInet4{Port: port, Addr: as4(s.to)}
	if s.to.Is6() {
		level, recvErr, hops = unix.SOL_IPV6, unix.IPV6_RECVERR, unix.IPV6_UNICAST_HOPS
		address = &unix.SockaddrInet6{Port: port, Addr: s.to.As16(), ZoneId: zoneID(s.to)}
	}
	if err := unix.SetsockoptInt(fd, level, recvErr, 1); err != nil {
		return err
	}
	if ttl > 0 {
		if err := unix.SetsockoptInt(fd, level, hops, ttl); err != nil {
			return err
		}
	}
	if err := unix.Connect(fd, address); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	switch at := at.(type) {
	case *unix.SockaddrInet4:
		s.local = netip.AddrFrom4(at.Addr)
	case *unix.SockaddrInet6:
		s.local = netip.AddrFrom16(at.Addr)
	}
	return nil
}

// packet returns an echo request, whose identifier and checksum the kernel sets, or
// a UDP payload.
func (s *socket) packet() []byte {
	if s.isUDP {
		return make([]byte, PayloadBytes)
	}
	p := make([]byte, 8+PayloadBytes)
	p[0] = 8 // RFC 792: echo
	if s.to.Is6() {
		p[0] = 128 // RFC 4443 §4.1
	}
	return p
}

// receive waits for the first response. It reads the error queue first: while an
// error is pending, reading data returns only the error's number.
func (s *socket) receive() (r Reply, err error) {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return Reply{}, err
	}
	var inner error
	err = raw.Read(func(fd uintptr) bool {
		data, control := make([]byte, 512), make([]byte, 512)
		for range 8 {
			_, n, _, _, err := unix.Recvmsg(int(fd), data, control, unix.MSG_ERRQUEUE)
			if err == nil {
				if found, ok := s.parseControl(control[:n]); ok {
					r = found
					return true
				}
				continue
			}
			if _, _, err = unix.Recvfrom(int(fd), data, 0); err == nil {
				r = Reply{From: s.to, Kind: Reached}
				return true
			}
			if errors.Is(err, unix.EAGAIN) {
				return false
			}
			inner = permission(fmt.Errorf("receive an echo: %w", err))
		}
		return true
	})
	if err == nil && r.Kind == 0 {
		err = cmp.Or(inner, ErrSilent)
	}
	return r, err
}

func (s *socket) parseControl(control []byte) (Reply, bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return Reply{}, false
	}
	for _, m := range messages {
		r, ok := parseExtendedError(m.Data)
		// An error from this computer itself concerns a neighbour that does not
		// respond to ARP: for the caller the packet is lost.
		if ok && (r.From != s.local || r.From == s.to) {
			r.ICMPError = true
			if r.Kind != Expired && r.From == s.to.WithZone("") {
				r.Kind = Reached
			}
			return r, true
		}
	}
	return Reply{}, false
}

// Origins of struct sock_extended_err (linux/errqueue.h).
const (
	originICMP  = 2
	originICMP6 = 3
)

// parseExtendedError parses a struct sock_extended_err and the address after it,
// which is that of the machine that sent the error (ip(7)).
func parseExtendedError(b []byte) (Reply, bool) {
	const header = 16
	if len(b) < header+8 {
		return Reply{}, false
	}
	origin, kind, code := b[4], b[5], b[6]
	offender := b[header:]
	var r Reply
	switch family := binary.NativeEndian.Uint16(offender); {
	case origin == originICMP && family == unix.AF_INET:
		r.From = netip.AddrFrom4([4]byte(offender[4:8]))
		r.Kind = kindOf4(kind, code)
	case origin == originICMP6 && family == unix.AF_INET6 && len(offender) >= 24:
		r.From = netip.AddrFrom16([16]byte(offender[8:24]))
		r.Kind = kindOf6(kind, code)
	}
	return r, r.Kind != 0
}

func permission(err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return err
}

func as4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		b = a.As4()
	}
	return b
}

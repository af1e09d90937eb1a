package echo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Knock implements [Knocker].
func (system) Knock(ctx context.Context, network string, to netip.AddrPort, ttl int, payload []byte) (Reply, error) {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	isUDP := network == "udp"
	s, err := openKnock(to, ttl, isUDP)
	if err != nil {
		return Reply{}, fmt.Errorf("open a socket for a knock: %w", err)
	}
	defer s.close()
	stop := context.AfterFunc(ctx, func() { _ = s.file.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := time.Now()
	var r Reply
	if isUDP {
		if _, err := s.file.Write(payload); err != nil {
			return Reply{}, permission(fmt.Errorf("send a knock: %w", err))
		}
		r, err = s.receive()
	} else {
		r, err = s.connected()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Reply{}, ErrSilent
	}
	r.RTT = time.Since(sent)
	return r, err
}

func openKnock(to netip.AddrPort, ttl int, isUDP bool) (*socket, error) {
	family, kind := unix.AF_INET, unix.SOCK_STREAM
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	if isUDP {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, permission(err)
	}
	s := &socket{to: to.Addr(), port: to.Port(), isUDP: isUDP}
	// A connection in progress is not an error.
	if err := s.prepare(fd, ttl); err != nil {
		_ = unix.Close(fd)
		return nil, permission(err)
	}
	s.file = os.NewFile(uintptr(fd), "knock")
	return s, nil
}

// connected waits for the result of a connection in progress. It reads the error
// queue first, which identifies the machine that sent an error.
func (s *socket) connected() (r Reply, err error) {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return Reply{}, err
	}
	var inner error
	err = raw.Write(func(fd uintptr) bool {
		control := make([]byte, 512)
		if _, n, _, _, err := unix.Recvmsg(int(fd), make([]byte, 512), control, unix.MSG_ERRQUEUE); err == nil {
			if found, ok := s.parseControl(control[:n]); ok {
				r = found
				return true
			}
		}
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		switch errno := unix.Errno(code); {
		case err != nil:
			inner = err
		case errno == unix.ECONNREFUSED:
			r = Reply{From: s.to, Kind: Reached}
		case errno != 0:
			inner = permission(fmt.Errorf("connect: %w", errno))
		default:
			if _, err := unix.Getpeername(int(fd)); err != nil {
				return false
			}
			r = Reply{From: s.to, Kind: Reached}
		}
		return true
	})
	if err == nil && r.Kind == 0 {
		err = cmp.Or(inner, ErrSilent)
	}
	return r, err
}

package echo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// AskLarge implements [LargeAsker].
func (system) AskLarge(ctx context.Context, to netip.Addr, bytes int) (Reply, error) {
	to = to.Unmap()
	s, err := open(to, 0)
	if err != nil {
		return Reply{}, fmt.Errorf("open a socket for an echo: %w", err)
	}
	defer s.close()
	if err := s.keepWhole(); err != nil {
		return Reply{}, fmt.Errorf("disable fragmentation of an echo: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.file.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	header := 20
	if to.Is6() {
		header = 40
	}
	if s.isUDP {
		header += 8
	}
	packet := make([]byte, max(bytes-header, 8))
	if !s.isUDP {
		copy(packet, s.packet()[:8])
	}
	sent := time.Now()
	if _, err := s.file.Write(packet); err != nil {
		return Reply{}, tooLarge(permission(fmt.Errorf("send an echo: %w", err)))
	}
	r, err := s.receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Reply{}, ErrSilent
	}
	r.RTT = time.Since(sent)
	return r, tooLarge(err)
}

// keepWhole sets the DF bit and makes the kernel store the smaller MTUs that
// routers report (ip(7), IP_MTU_DISCOVER).
func (s *socket) keepWhole() error {
	level, option, value := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO
	if s.to.Is6() {
		level, option, value = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = unix.SetsockoptInt(int(fd), level, option, value) })
	return errors.Join(err, inner)
}

func tooLarge(err error) error {
	if errors.Is(err, unix.EMSGSIZE) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}

package linkstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// watch reads the routing socket (route(4)), which carries a message for each change of
// an address, a route or an interface.
func watch(ctx context.Context, changed chan<- struct{}) error {
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("open the routing socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	wait := unix.NsecToTimeval(time.Second.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fmt.Errorf("limit the wait for the routing socket: %w", err)
	}
	buf := make([]byte, 2048)
	for ctx.Err() == nil {
		switch _, err := unix.Read(fd, buf); {
		case err == nil, errors.Is(err, unix.ENOBUFS):
			notify(changed)
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("read the routing socket: %w", err)
		}
	}
	return ctx.Err()
}

// switchedOff always returns false: this system does not report it.
func switchedOff(string) bool { return false }

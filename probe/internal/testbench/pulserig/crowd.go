//go:build unix

package pulserig

import (
	"errors"
	"syscall"
	"time"
)

// Crowd fills the queue of the server's socket, as programs do that start together
// after signing in, and keeps it full for d.
func (r *Rig) Crowd(d time.Duration) {
	r.tb.Helper()
	if err := r.server.Process.Signal(syscall.SIGSTOP); err != nil {
		r.tb.Fatal(err)
	}
	var waiting []int
	for {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			r.tb.Fatal(err)
		}
		waiting = append(waiting, fd)
		if err := syscall.SetNonblock(fd, true); err != nil {
			r.tb.Fatal(err)
		}
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: r.socket()})
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			r.tb.Fatal(err)
		}
	}
	time.AfterFunc(d, func() {
		for _, fd := range waiting {
			_ = syscall.Close(fd)
		}
		_ = r.server.Process.Signal(syscall.SIGCONT)
	})
}

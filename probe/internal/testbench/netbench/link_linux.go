package netbench

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Link reads the TUN devices of all hosts and forwards packets between them, in one
// thread: switching threads would add delay.
type Link struct {
	tuns  [hosts]int
	wake  int // eventfd
	start time.Time
	log   *slog.Logger
	done  chan struct{}

	mu       sync.Mutex
	taps     [hosts]*tap
	route    *route
	captures [hosts]*capture
	stopped  bool
}

// openLink creates the devices in the namespace of the calling process. They are
// moved to their namespaces afterwards; the descriptors remain valid.
func openLink(names [hosts]string, log *slog.Logger) (*Link, error) {
	l := &Link{start: time.Now(), log: log, done: make(chan struct{}), wake: -1, tuns: [hosts]int{-1, -1, -1, -1}}
	for i, name := range names {
		fd, err := openTUN(name)
		if err != nil {
			l.closeFiles()
			return nil, err
		}
		l.tuns[i] = fd
	}
	var err error
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		l.closeFiles()
		return nil, fmt.Errorf("create an eventfd: %w", err)
	}
	go l.run()
	return l, nil
}

func openTUN(name string) (fd int, err error) {
	const device = "/dev/net/tun"
	if fd, err = unix.Open(device, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		return -1, fmt.Errorf("open %s: %w", device, err)
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		// Without offloads, so that every packet is complete and has its checksums.
		r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("create the TUN device %s: %w", name, err)
	}
	return fd, nil
}

// Load starts a scenario: packets in flight are dropped, NATs lose their bindings,
// the truth is cleared, and second 0 of the phases is now.
func (l *Link) Load(s Scenario, seed uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := newRoute(s, seed, l.nowNS(), l.write)
	if err != nil {
		return fmt.Errorf("load scenario %s: %w", s.Name, err)
	}
	l.route = r
	return nil
}

// Truth returns what has happened since Load.
func (l *Link) Truth() Truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.route == nil {
		return nil
	}
	t := make(Truth, len(l.route.truth))
	for i, p := range l.route.truth {
		t[i] = *p
		t[i].OutNS = slices.Clone(p.OutNS)
	}
	return t
}

// Capture writes the packets that a host sends and receives as a pcap file until
// end is called. The writer must be fast, such as one in memory, because the link
// waits for it.
func (l *Link) Capture(host int, to io.Writer) (end func() error, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, err := newCapture(to, l.start)
	if err != nil {
		return nil, err
	}
	l.captures[host] = c
	return func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.captures[host] == c {
			l.captures[host] = nil
		}
		return c.err
	}, nil
}

func (l *Link) close() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	_, _ = unix.Write(l.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-l.done
	l.closeFiles()
}

func (l *Link) closeFiles() {
	for _, t := range l.taps {
		t.close()
	}
	for _, fd := range append(l.tuns[:], l.wake) {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (l *Link) nowNS() int64 { return int64(time.Since(l.start)) }

// write delivers a packet to a host. A full device drops it, like a full line.
func (l *Link) write(host int, p packet) {
	l.captures[host].take(p, l.nowNS())
	if _, err := unix.Write(l.tuns[host], p); err != nil && err != unix.ENOBUFS && err != unix.EAGAIN {
		l.log.Debug("write to TUN", "host", hostNames[host], "err", err)
	}
}

// run is the thread of the link. It gets real-time priority, so that a busy
// computer does not affect the delays; if that is not permitted it does, and the
// truth records it.
func (l *Link) run() {
	defer close(l.done)
	runtime.LockOSThread() // never unlocked, so the thread with its priority ends
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 20}, 0)
	if err != nil {
		l.log.Info("the link runs with ordinary priority", "err", err)
	}
	buf := make([]byte, 1<<16)
	fds := make([]unix.PollFd, 0, hosts+1)
	for _, fd := range append(l.tuns[:], l.wake) {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		wait, stopped := l.step()
		if stopped {
			return
		}
		timeout := unix.NsecToTimespec(int64(wait))
		if _, err := unix.Ppoll(fds, &timeout, nil); err != nil && err != unix.EINTR {
			l.log.Error("poll the TUN devices", "err", err)
			return
		}
		for host := range hosts {
			if fds[host].Revents&unix.POLLIN != 0 {
				l.readAll(host, buf)
			}
		}
	}
}

func (l *Link) step() (wait time.Duration, stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.route == nil || l.stopped {
		return time.Hour, l.stopped
	}
	return l.route.step(l.nowNS), false
}

// readAll reads waiting packets, a limited number so that others are not sent late.
func (l *Link) readAll(host int, buf []byte) {
	l.mu.Lock()
	tap := l.taps[host]
	l.mu.Unlock()
	for range 64 {
		n, err := unix.Read(l.tuns[host], buf)
		if err != nil {
			return
		}
		now := tap.handedOver(buf[:n], l.start)
		p, ok := parse(slices.Clone(buf[:n]))
		if !ok {
			continue // invalid, or not for a router
		}
		l.mu.Lock()
		if l.route != nil {
			l.captures[host].take(p, now)
			l.route.send(host, p, now)
			l.route.step(l.nowNS)
		}
		l.mu.Unlock()
	}
}

// Possible returns an error that names what this machine lacks for a world.
func Possible() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("network namespaces need root")
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return fmt.Errorf("TUN devices: %w", err)
	}
	return possibleNamespaces()
}

//go:build linux && (amd64 || arm64)

package arrival

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kernelDepartures requests the time at which the kernel passed a packet to the device queue (SO_TIMESTAMPING,
// SOF_TIMESTAMPING_TX_SCHED; Linux, Documentation/networking/timestamping.rst). This is where the network begins: the
// system call before it belongs to this computer, and after a sleep state it takes longer than the transmission. A queue in
// front of the device is included, because the call waits in it too.
//
// Only sends that carry the request are timestamped; other packets on the socket are not affected.
type kernelDepartures struct {
	mu      sync.Mutex
	raw     syscall.RawConn // nil if the kernel is not asked
	request []byte          // control message for a send
	data    [1]byte
	control [256]byte
	found   int64                    // wall clock; 0 if none
	read    func(fd uintptr)         // allocated once to avoid garbage per packet
	window  struct{ from, to int64 } // interval of the send, wall clock
}

func (k *kernelDepartures) ask(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	// OPT_TSONLY returns the time without a copy of the packet, which some systems deny to unprivileged programs
	// (net.core.tstamp_allow_data).
	const report = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_TSONLY
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, report)
	}); err != nil || set != nil {
		return
	}
	k.request = make([]byte, unix.CmsgSpace(4))
	binary.NativeEndian.PutUint64(k.request, uint64(unix.CmsgLen(4)))
	binary.NativeEndian.PutUint32(k.request[8:], unix.SOL_SOCKET)
	binary.NativeEndian.PutUint32(k.request[12:], unix.SO_TIMESTAMPING)
	binary.NativeEndian.PutUint32(k.request[16:], unix.SOF_TIMESTAMPING_TX_SCHED)
	k.read, k.raw = k.drain, raw
}

// send sends b and returns its departure time. The kernel's time is used only if it lies within the call; otherwise it
// belongs to another packet, or the clock has jumped.
func (k *kernelDepartures) send(c *Conn, b []byte, to netip.AddrPort) (n int, left time.Time, err error) {
	if k.raw == nil {
		left = c.now()
		n, err = c.UDPConn.WriteToUDPAddrPort(b, to)
		return n, left, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before := c.now()
	n, _, err = c.UDPConn.WriteMsgUDPAddrPort(b, k.request, to)
	if err != nil {
		return n, before, err
	}
	after := c.now()
	k.window.from, k.window.to, k.found = before.UnixNano(), after.UnixNano(), 0
	if k.raw.Control(k.read) != nil || k.found == 0 {
		return n, before, nil
	}
	return n, before.Add(time.Duration(k.found - k.window.from)), nil
}

// told reports whether the kernel is asked at all, and whether it provided the last departure time.
func (k *kernelDepartures) told() (asked, told bool) { return k.raw != nil, k.found != 0 }

// drain empties the socket's error queue and keeps the time within the window.
func (k *kernelDepartures) drain(fd uintptr) {
	for range 16 {
		_, n, _, _, err := unix.Recvmsg(int(fd), k.data[:], k.control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return
		}
		if at, ok := departureTime(k.control[:n]); ok && at >= k.window.from && at <= k.window.to {
			k.found = at
		}
	}
}

// departureTime parses the first of the three times of a struct scm_timestamping, the software timestamp.
func departureTime(oob []byte) (unixNS int64, ok bool) {
	return controlTime(oob, unix.SO_TIMESTAMPING)
}

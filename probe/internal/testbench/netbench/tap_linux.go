package netbench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// tap records when a host's kernel passed a packet to its TUN device. The link
// reads it later, after the wake-up of a sleeping CPU, about 50 µs here. This is
// not part of the line, and would make each true round trip shorter than it was on
// the wire.
type tap struct {
	fd      int
	packet  [1 << 16]byte
	control [128]byte
	lastNS  int64
}

// openTap listens on a device in the calling thread's namespace (packet(7)).
func openTap(device string) (*tap, error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("find device %s: %w", device, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0) // receives nothing until bound
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", device, err)
	}
	if err := prepareTap(fd, i.Index); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listen on %s: %w", device, err)
	}
	return &tap{fd: fd}, nil
}

func prepareTap(fd, device int) error {
	if err := onlyOutgoing(fd); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 1<<23); err != nil {
		return err
	}
	all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff}) // in network byte order
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device})
}

// onlyOutgoing excludes packets that the link itself writes.
func onlyOutgoing(fd int) error {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// handedOver returns when b, which was just read from the device, was passed to it,
// in ns since start; the time of the read if the tap missed it.
func (t *tap) handedOver(b []byte, start time.Time) int64 {
	now := time.Now()
	at := int64(now.Sub(start))
	if t == nil {
		return at
	}
	for {
		n, controls, _, _, err := unix.Recvmsg(t.fd, t.packet[:], t.control[:], 0)
		if err != nil {
			break
		}
		if !bytes.Equal(t.packet[:n], b) {
			continue // dropped by a full device
		}
		if wall, ok := stampOf(t.control[:controls]); ok {
			if age := now.UnixNano() - wall; age >= 0 && age < int64(time.Second) {
				at -= age
			}
		}
		break
	}
	t.lastNS = max(t.lastNS, at) // time never decreases
	return t.lastNS
}

func stampOf(control []byte) (unixNS int64, ok bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			s, ns := int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))
			return s*1e9 + ns, true
		}
	}
	return 0, false
}

func (t *tap) close() {
	if t != nil {
		_ = unix.Close(t.fd)
	}
}

// tap listens at every host, so that the truth begins where the kernel sent the
// packet. The devices must be in their namespaces.
func (l *Link) tap(ns *namespaces) error {
	for host := range hosts {
		var t *tap
		err := ns.within(host, func() (err error) {
			t, err = openTap(ns.devices[host])
			return err
		})
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.taps[host] = t
		l.mu.Unlock()
	}
	return nil
}

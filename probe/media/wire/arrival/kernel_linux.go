//go:build linux && (amd64 || arm64)

package arrival

import (
	"encoding/binary"
	"fmt"
	"net"
	"syscall"
)

// oobBytes is the space for the control messages of SO_TIMESTAMPNS and SO_TIMESTAMPING, one and three 64-bit timespecs.
const oobBytes = 128

// askKernel enables SO_TIMESTAMPNS (socket(7)).
func askKernel(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("request arrival times: %w", err)
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	if err == nil {
		err = set
	}
	return err
}

// kernelTime returns the time of SO_TIMESTAMPNS in oob.
func kernelTime(oob []byte) (unixNS int64, ok bool) {
	return controlTime(oob, syscall.SO_TIMESTAMPNS)
}

// controlTime parses the first timespec of a control message without the library, whose parser allocates for each packet.
// struct cmsghdr on 64-bit Linux is a length of 8 bytes, level and type of 4 each, then the data.
func controlTime(oob []byte, want uint32) (unixNS int64, ok bool) {
	const header = 16
	for len(oob) >= header {
		length := binary.NativeEndian.Uint64(oob)
		level, kind := binary.NativeEndian.Uint32(oob[8:]), binary.NativeEndian.Uint32(oob[12:])
		if length < header || length > uint64(len(oob)) {
			return 0, false
		}
		if level == syscall.SOL_SOCKET && kind == want && length >= header+16 {
			s, ns := int64(binary.NativeEndian.Uint64(oob[16:])), int64(binary.NativeEndian.Uint64(oob[24:]))
			return s*1e9 + ns, true
		}
		oob = oob[min((length+7)&^7, uint64(len(oob))):]
	}
	return 0, false
}

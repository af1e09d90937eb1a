package echo

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	flagDF             = 0x02  // IP_FLAG_DF (ipexport.h)
	statusPacketTooBig = 11009 // IP_PACKET_TOO_BIG
	icmpHeaders        = 28    // IPv4 and ICMP
	largestEcho        = 1500
)

// AskLarge implements [LargeAsker], for IPv4 only.
func (system) AskLarge(ctx context.Context, to netip.Addr, bytes int) (Reply, error) {
	to = to.Unmap()
	if !to.Is4() {
		return Reply{}, ErrNotPermitted
	}
	return abandonable(ctx, func(wait time.Duration) (Reply, error) {
		return sendLarge(to, min(max(bytes, icmpHeaders+PayloadBytes), largestEcho), wait)
	})
}

func sendLarge(to netip.Addr, bytes int, wait time.Duration) (Reply, error) {
	handle, _, err := icmpCreateFile.Call()
	if windows.Handle(handle) == windows.InvalidHandle {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	defer func() { _, _, _ = icmpCloseHandle.Call(handle) }()
	option := &ipOption{TTL: defaultTTL, Flags: flagDF}
	address := to.As4()
	var data [largestEcho]byte
	var room [(largestEcho + 256) / 8]uint64 // uint64 aligns it
	sent := now()
	n, _, err := icmpSendEcho2Ex.Call(handle, 0, 0, 0,
		0, uintptr(*(*uint32)(unsafe.Pointer(&address))),
		uintptr(unsafe.Pointer(&data)), uintptr(bytes-icmpHeaders), uintptr(unsafe.Pointer(option)),
		uintptr(unsafe.Pointer(&room)), unsafe.Sizeof(room), uintptr(wait.Milliseconds()))
	rtt := now().Sub(sent)
	runtime.KeepAlive(option)
	if n == 0 {
		if err == windows.Errno(statusPacketTooBig) {
			return Reply{}, fmt.Errorf("%w: %w", ErrTooLarge, err)
		}
		return failed(err)
	}
	reply := (*echoReply)(unsafe.Pointer(&room))
	if reply.Status == statusPacketTooBig {
		return Reply{}, ErrTooLarge
	}
	return judge(reply.Status, netip.AddrFrom4(reply.Address), to, rtt)
}

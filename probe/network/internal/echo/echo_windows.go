package echo

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/tonprobe/tonprobe/probe"
)

type system struct{}

var (
	iphlpapi        = windows.NewLazySystemDLL("iphlpapi.dll")
	icmpCreateFile  = iphlpapi.NewProc("IcmpCreateFile")
	icmp6CreateFile = iphlpapi.NewProc("Icmp6CreateFile")
	icmpCloseHandle = iphlpapi.NewProc("IcmpCloseHandle")
	icmpSendEcho2Ex = iphlpapi.NewProc("IcmpSendEcho2Ex")
	icmp6SendEcho2  = iphlpapi.NewProc("Icmp6SendEcho2")
)

// now has a higher resolution than package time on Windows, which counts ticks.
func now() time.Time { return probe.SystemClock{}.Now() }

const (
	longestWait = 5 * time.Second
	defaultTTL  = 128
)

// Values of IP_STATUS (ipexport.h).
const (
	statusSuccess         = 0
	statusNetUnreachable  = 11002 // the first of four "unreachable" values
	statusPortUnreachable = 11005 // the last
	statusTTLExpired      = 11013 // also IP_HOP_LIMIT_EXCEEDED
)

// ipOption is IP_OPTION_INFORMATION.
type ipOption struct {
	TTL, TOS, Flags, OptionsSize uint8
	OptionsData                  uintptr
}

// echoReply is ICMP_ECHO_REPLY.
type echoReply struct {
	Address  [4]byte
	Status   uint32
	RTT      uint32
	DataSize uint16
	_        uint16
	Data     uintptr
	Options  ipOption
}

// Ask uses IcmpSendEcho2Ex, which requires no privileges. It blocks and cannot be
// cancelled, so it gets the remaining time of ctx as its timeout, and its result is
// discarded if ctx is cancelled earlier.
func (system) Ask(ctx context.Context, to netip.Addr, ttl int) (Reply, error) {
	return abandonable(ctx, func(wait time.Duration) (Reply, error) { return send(to.Unmap(), ttl, wait) })
}

// abandonable calls ask with the remaining time of ctx, and returns without its
// result if ctx is cancelled earlier.
func abandonable(ctx context.Context, ask func(wait time.Duration) (Reply, error)) (Reply, error) {
	wait := longestWait
	if until, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(until))
	}
	if wait <= 0 || ctx.Err() != nil {
		return Reply{}, ErrSilent
	}
	type answer struct {
		reply Reply
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := ask(wait)
		done <- answer{r, err}
	}()
	select {
	case a := <-done:
		return a.reply, a.err
	case <-ctx.Done():
		return Reply{}, ErrSilent
	}
}

func send(to netip.Addr, ttl int, wait time.Duration) (Reply, error) {
	create := icmpCreateFile
	if to.Is6() {
		create = icmp6CreateFile
	}
	handle, _, err := create.Call()
	if windows.Handle(handle) == windows.InvalidHandle {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	defer func() { _, _, _ = icmpCloseHandle.Call(handle) }()
	option := ipOption{TTL: defaultTTL}
	if ttl > 0 {
		option.TTL = uint8(min(ttl, 255))
	}
	if to.Is6() {
		return send6(handle, to, &option, wait)
	}
	return send4(handle, to, &option, wait)
}

// replyRoom has space for one reply, its data, an ICMP error and an
// IO_STATUS_BLOCK, as the function's documentation requires. uint64 aligns it.
type replyRoom [64]uint64

func send4(handle uintptr, to netip.Addr, option *ipOption, wait time.Duration) (Reply, error) {
	address := to.As4()
	var data [PayloadBytes]byte
	var room replyRoom
	sent := now()
	n, _, err := icmpSendEcho2Ex.Call(handle, 0, 0, 0,
		0, uintptr(*(*uint32)(unsafe.Pointer(&address))), // any source address
		uintptr(unsafe.Pointer(&data)), PayloadBytes, uintptr(unsafe.Pointer(option)),
		uintptr(unsafe.Pointer(&room)), unsafe.Sizeof(room), uintptr(wait.Milliseconds()))
	rtt := now().Sub(sent) // the reply contains whole milliseconds only
	runtime.KeepAlive(option)
	if n == 0 {
		return failed(err)
	}
	reply := (*echoReply)(unsafe.Pointer(&room))
	return judge(reply.Status, netip.AddrFrom4(reply.Address), to, rtt)
}

func send6(handle uintptr, to netip.Addr, option *ipOption, wait time.Duration) (Reply, error) {
	source := windows.RawSockaddrInet6{Family: windows.AF_INET6}
	target := windows.RawSockaddrInet6{Family: windows.AF_INET6, Addr: to.As16(), Scope_id: zoneID(to)}
	var data [PayloadBytes]byte
	var room replyRoom
	sent := now()
	n, _, err := icmp6SendEcho2.Call(handle, 0, 0, 0,
		uintptr(unsafe.Pointer(&source)), uintptr(unsafe.Pointer(&target)),
		uintptr(unsafe.Pointer(&data)), PayloadBytes, uintptr(unsafe.Pointer(option)),
		uintptr(unsafe.Pointer(&room)), unsafe.Sizeof(room), uintptr(wait.Milliseconds()))
	rtt := now().Sub(sent)
	runtime.KeepAlive(option)
	if n == 0 {
		return failed(err)
	}
	// ICMPV6_ECHO_REPLY is packed: port 2, flow 4, address 16, scope 4, status 4.
	b := (*[32]byte)(unsafe.Pointer(&room))
	status := uint32(b[28]) | uint32(b[29])<<8 | uint32(b[30])<<16 | uint32(b[31])<<24
	return judge(status, netip.AddrFrom16([16]byte(b[6:22])), to, rtt)
}

func judge(status uint32, from, to netip.Addr, rtt time.Duration) (Reply, error) {
	switch {
	case status == statusSuccess:
		return Reply{From: to, Kind: Reached, RTT: rtt}, nil
	case status == statusTTLExpired:
		return Reply{From: from, Kind: Expired, RTT: rtt, ICMPError: true}, nil
	case status >= statusNetUnreachable && status <= statusPortUnreachable:
		return Reply{From: from, Kind: Unreachable, RTT: rtt, ICMPError: true}, nil
	}
	return Reply{}, ErrSilent
}

// failed distinguishes a lost packet from an error of the system.
func failed(err error) (Reply, error) {
	if err == windows.ERROR_ACCESS_DENIED {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return Reply{}, ErrSilent
}

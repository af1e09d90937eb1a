package adapter

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// getRate is SIOCGIWRATE of the wireless extensions (linux/wireless.h). cfg80211
// implements it for all drivers up to Wi-Fi 6.
const getRate = 0x8B21

// wirelessRequest is struct iwreq with its iw_param.
type wirelessRequest struct {
	name  [unix.IFNAMSIZ]byte
	value int32 // bit/s
	_     [12]byte
}

// wifiRate returns the transmit rate in Mbit/s; nil if the driver does not report
// it.
func wifiRate(name string) *float64 {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	var r wirelessRequest
	copy(r.name[:len(r.name)-1], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), getRate, uintptr(unsafe.Pointer(&r))); errno != 0 || r.value <= 0 {
		return nil
	}
	return new(float64(r.value) / 1e6)
}

//go:build !linux && !darwin && !windows

package path

import (
	"errors"
	"syscall"
)

// dontFragment is not implemented on this system: large packets might be fragmented, which would
// hide the fault, so none is sent.
func dontFragment(string, string, syscall.RawConn) error {
	return errors.New("this system cannot prevent the fragmentation of packets")
}

func isTooLarge(error) bool { return false }

//go:build !linux && !darwin && !windows

package network

import (
	"errors"
	"syscall"
)

// dontFragment has no way on this system: large packets may go out in parts,
// which would hide what is looked for, so that none goes out.
func dontFragment(string, string, syscall.RawConn) error {
	return errors.New("packets cannot be kept whole on this system")
}

func isTooLarge(error) bool { return false }

//go:build !linux && !darwin

package network

import (
	"errors"
	"syscall"
)

// smallSegments has no way on this system: Windows reads the size and does not
// let it be set.
func smallSegments(string, string, syscall.RawConn) error {
	return errors.New("the size of TCP segments cannot be set on this system")
}

//go:build !linux && !darwin

package web

import (
	"errors"
	"syscall"
)

// smallSegments is not implemented on this system: on Windows the size can be read but not set.
func smallSegments(string, string, syscall.RawConn) error {
	return errors.New("the size of TCP segments cannot be set on this system")
}

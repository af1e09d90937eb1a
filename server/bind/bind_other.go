//go:build !linux

package bind

import "syscall"

// freely does nothing: only Linux binds an address that it does not have.
func freely(_, _ string, _ syscall.RawConn) error { return nil }

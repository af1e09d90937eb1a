//go:build !linux

package bind

import "syscall"

// freely does nothing: only Linux can bind an absent address.
func freely(_, _ string, _ syscall.RawConn) error { return nil }

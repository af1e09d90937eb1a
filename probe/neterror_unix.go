//go:build !windows

package probe

import "syscall"

var (
	refusedErrnos     = []syscall.Errno{syscall.ECONNREFUSED, syscall.ECONNRESET}
	noRouteErrnos     = []syscall.Errno{syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT}
	unreachableErrnos = []syscall.Errno{syscall.EHOSTUNREACH, syscall.EHOSTDOWN}
	forbiddenErrnos   = []syscall.Errno{syscall.EPERM, syscall.EACCES}
)

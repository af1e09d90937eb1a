package probe

import "syscall"

// The error numbers of Winsock, which sockets return, and those that package syscall
// defines for the Unix names, which libraries and test doubles return.
var (
	refusedErrnos = []syscall.Errno{
		10061 /* WSAECONNREFUSED */, 10054, /* WSAECONNRESET */
		syscall.ECONNREFUSED, syscall.ECONNRESET,
	}
	noRouteErrnos = []syscall.Errno{
		10051 /* WSAENETUNREACH */, 10050 /* WSAENETDOWN */, 10049 /* WSAEADDRNOTAVAIL */, 10047, /* WSAEAFNOSUPPORT */
		syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
	}
	unreachableErrnos = []syscall.Errno{10065 /* WSAEHOSTUNREACH */, 10064 /* WSAEHOSTDOWN */, syscall.EHOSTUNREACH, syscall.EHOSTDOWN}
	forbiddenErrnos   = []syscall.Errno{10013 /* WSAEACCES */, syscall.EACCES, syscall.EPERM}
)

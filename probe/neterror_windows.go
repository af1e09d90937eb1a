package probe

import "syscall"

// The numbers of Winsock, which is what sockets say. Beside them stand the
// numbers that package syscall makes up for the names of Unix: libraries and
// stand-ins for a system give those.
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

package probe

import "syscall"

// The numbers of Winsock. Those that package syscall calls ECONNREFUSED and the
// like are made up on Windows and never come from a socket.
var (
	refusedErrnos   = []syscall.Errno{10061 /* WSAECONNREFUSED */, 10054 /* WSAECONNRESET */}
	noRouteErrnos   = []syscall.Errno{10051 /* WSAENETUNREACH */, 10050 /* WSAENETDOWN */, 10049 /* WSAEADDRNOTAVAIL */, 10047 /* WSAEAFNOSUPPORT */}
	forbiddenErrnos = []syscall.Errno{10013 /* WSAEACCES */}
)

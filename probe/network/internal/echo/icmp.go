//go:build linux || darwin

package echo

// Types of ICMP messages (RFC 792, RFC 4443 §3).
const (
	typeUnreachable4 = 3
	typeExpired4     = 11
	typeUnreachable6 = 1
	typeExpired6     = 3
)

// kindOf4 returns the meaning of an ICMP error; 0 for any other message.
func kindOf4(kind, code byte) Kind {
	switch kind {
	case typeExpired4:
		return Expired
	case typeUnreachable4:
		switch code {
		case 3, 9, 10, 13: // port; administratively prohibited (RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1)
			return Prohibited
		}
		return Unreachable
	}
	return 0
}

// kindOf6 is kindOf4 for ICMPv6.
func kindOf6(kind, code byte) Kind {
	switch kind {
	case typeExpired6:
		return Expired
	case typeUnreachable6:
		switch code {
		case 1, 4, 5, 6: // administratively prohibited, port, source address, reject route
			return Prohibited
		}
		return Unreachable
	}
	return 0
}

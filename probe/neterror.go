package probe

import (
	"context"
	"errors"
	"slices"
)

// IsRefused says whether the other side refused a connection. Some machine must
// be there for that, the server or a box before it.
func IsRefused(err error) bool { return isOneOf(err, refusedErrnos) }

// IsNoRoute says whether this computer has no way to the network of an address.
func IsNoRoute(err error) bool { return isOneOf(err, noRouteErrnos) }

// IsUnreachable says whether a neighbour on this computer's own network, the
// server or the next router, does not answer to its address (ARP, RFC 826), or a
// router said that it has no way on. On macOS it may be a missing permission.
func IsUnreachable(err error) bool { return isOneOf(err, unreachableErrnos) }

// IsForbidden says whether this computer itself refused to send, as its own
// firewall does.
func IsForbidden(err error) bool { return isOneOf(err, forbiddenErrnos) }

func isOneOf[E error](err error, errnos []E) bool {
	return slices.ContainsFunc(errnos, func(e E) bool { return errors.Is(err, e) })
}

// IsTimeout reports whether an error is the end of a time limit.
func IsTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

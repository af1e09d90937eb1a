package probe

import (
	"context"
	"errors"
	"slices"
)

// IsRefused reports whether the peer refused the connection. Some machine must have
// answered: the server or a device in front of it.
func IsRefused(err error) bool { return isOneOf(err, refusedErrnos) }

// IsNoRoute reports whether this computer has no route to the network of an address.
func IsNoRoute(err error) bool { return isOneOf(err, noRouteErrnos) }

// IsUnreachable reports whether a neighbour on the local network, the server or the
// next router, does not answer for its address (ARP, RFC 826), or a router has no
// route. On macOS the cause may be a missing permission.
func IsUnreachable(err error) bool { return isOneOf(err, unreachableErrnos) }

// IsForbidden reports whether this computer refused to send, for example because of its
// own firewall.
func IsForbidden(err error) bool { return isOneOf(err, forbiddenErrnos) }

func isOneOf[E error](err error, errnos []E) bool {
	return slices.ContainsFunc(errnos, func(e E) bool { return errors.Is(err, e) })
}

// IsTimeout reports whether an error is an expired time limit.
func IsTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

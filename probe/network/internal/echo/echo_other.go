//go:build !linux && !darwin && !windows

package echo

import (
	"context"
	"net/netip"
)

type system struct{}

// Ask is not implemented on this system.
func (system) Ask(context.Context, netip.Addr, int) (Reply, error) {
	return Reply{}, ErrNotPermitted
}

// Package linkstate reports to a long-running observer how this computer is connected,
// when that may have changed, and whether a machine answers one small packet. Names,
// addresses and the SSID stay on this machine.
package linkstate

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
)

// ErrUnsupported means that the system does not report changes of its network. The caller
// has to poll.
var ErrUnsupported = errors.New("the system does not report changes of its network")

// State is the connection of this computer at one time.
type State struct {
	// Connected is true if there is a route to the internet over an interface with a
	// carrier.
	Connected bool
	// Kind is wifi, ethernet, cellular or vpn; "" if unknown.
	Kind string
	// SignalDBM is the signal strength of the Wi-Fi; nil if unknown.
	SignalDBM *float64
	// Gateway is the next router; invalid if there is none or it is unknown.
	Gateway netip.Addr
	// Local is this computer's address on the interface.
	Local netip.Addr
}

// Same reports whether two states describe the same connection.
func (s State) Same(o State) bool {
	return s.Connected == o.Connected && s.Kind == o.Kind && s.Gateway == o.Gateway && s.Local == o.Local
}

// Read queries the system. It sends nothing.
func Read(ctx context.Context) State {
	for _, to := range []netip.Addr{adapter.Anywhere(), adapter.Anywhere6()} {
		a, err := adapter.Toward(ctx, to)
		if err != nil || a.Local.IsLoopback() {
			continue
		}
		s := State{Connected: !a.Unplugged, Kind: string(a.Kind), SignalDBM: a.SignalDBM, Local: a.Local}
		if a.GatewayKnown {
			s.Gateway = a.Gateway
		}
		return s
	}
	return State{}
}

// Watch sends on changed whenever the result of Read may have changed, until ctx is done.
// It returns ErrUnsupported if the system has no such events, and an error when they end.
func Watch(ctx context.Context, changed chan<- struct{}) error { return watch(ctx, changed) }

// notify does not block: one pending notification is sufficient.
func notify(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// SwitchedOff reports whether a person or airplane mode has switched the Wi-Fi off, on
// systems that report this.
func SwitchedOff() bool { return switchedOff("/") }

// Errors of Ask.
var (
	// ErrSilent means that there was no answer in time.
	ErrSilent = echo.ErrSilent
	// ErrNotPermitted means that this system does not permit the packet. It says nothing
	// about the network.
	ErrNotPermitted = echo.ErrNotPermitted
)

// PacketBytes is the size of a packet of Ask with its headers, over IPv4. Its answer has
// the same size.
const PacketBytes = 20 + 8 + echo.PayloadBytes

// Ask sends one packet to a machine and returns the time until its answer. An answer from
// another machine on the path is an error.
func Ask(ctx context.Context, to netip.Addr) (time.Duration, error) {
	reply, err := echo.System().Ask(ctx, to, 0)
	switch {
	case err != nil:
		return 0, err
	case reply.Kind != echo.Reached:
		return 0, ErrSilent
	}
	return reply.RTT, nil
}

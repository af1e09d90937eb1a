package nat

import (
	"context"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Permissions requests from each relay of a list an allocation, and the permission
// to exchange packets with a peer (RFC 8656 §10), then deallocates it. A relay may
// grant the first and refuse the second because its administrator has denied the
// peer's network; then ICE finds no path although the relay seems to work. Nothing
// is sent through the relay.
//
// c.ICE is not used. The result contains the relays that were asked, in the order of
// the list, and the number of those whose names could not be resolved.
func Permissions(ctx context.Context, env probe.Env, c TURNConfig, list wire.ICEConfig, peer netip.Addr) (asked []report.TURNRelay, unnamed int) {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	p := relays{TURNConfig: c, permit: peer.Unmap()}
	servers := relaysOf(list)
	outcomes := make([]outcome, len(servers))
	var wg guard.Group
	for i, s := range servers {
		pass, err := env.Enter(ctx, s.transport.phase())
		if err != nil {
			pass.Leave()
			break
		}
		wg.Go(func() {
			defer pass.Leave()
			outcomes[i] = p.admittedBy(pass).try(ctx, env, s, func() []target { return nil })
		})
	}
	wg.Wait()
	for i, o := range outcomes {
		switch {
		case o.asked:
			asked = append(asked, o.of(servers[i]))
		case o.unnamed:
			unnamed++
		}
	}
	return asked, unnamed
}

// permission requests the permission for the peer. It is nil if the relay's address
// is of another family than the peer's, or if there was no response.
func (p relays) permission(ctx context.Context, client *turn.Client, relay net.Addr, watched *watchedConn) (permitted *bool, fault string) {
	at, ok := relay.(*net.UDPAddr)
	if !ok || p.permit.Is4() != (at.IP.To4() != nil) {
		return nil, ""
	}
	for range staleNonces {
		err := client.CreatePermission(&net.UDPAddr{IP: p.permit.AsSlice()})
		if err == nil {
			return new(true), ""
		}
		if code := watched.permissionRefusal(); code == 0 || ctx.Err() != nil {
			return nil, ""
		} else if code != stun.CodeStaleNonce { // the library has stored the new nonce
			break
		}
	}
	return new(false), permissionFault(watched.permissionRefusal())
}

// permissionFault returns the reason of a refused permission (RFC 8656 §19, RFC 8489 §14.8).
func permissionFault(code stun.ErrorCode) string {
	switch code {
	case stun.CodeForbidden:
		return faultDenied
	case stun.CodeUnauthorized, stun.CodeStaleNonce, stun.CodeWrongCredentials:
		return faultAuth
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return faultQuota
	}
	return faultOther
}

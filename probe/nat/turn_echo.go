package nat

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// peerFor returns the first STUN server that the relay's socket can reach.
func peerFor(relay net.Addr, peers []target) (netip.AddrPort, bool) {
	at, ok := relay.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	for _, p := range peers {
		if p.udp && p.addr.Addr().Is4() == (at.IP.To4() != nil) {
			return p.addr, true
		}
	}
	return netip.AddrPort{}, false
}

// echoes is the number of responses through the relay that suffice to measure a
// round trip.
const echoes = 3

// echo sends requests to peer through the relay. relayed is nil if the relay does
// not permit it, which says nothing about the line.
func (p relays) echo(ctx context.Context, env probe.Env, relay net.PacketConn, peer netip.AddrPort) (relayed *bool, rttMS *float64) {
	to := net.UDPAddrFromAddrPort(peer)
	buf := make([]byte, maxPacket)
	answers := 0
	for _, wait := range p.Timers.waits() {
		id, err := newTransactionID(env.Rand)
		if err != nil {
			return nil, nil
		}
		request, err := bindingRequest(id)
		if err != nil {
			return nil, nil
		}
		sent := env.Clock.Now()
		// The first packet also requests the permission and takes longer. Using the
		// shortest round trip excludes it.
		if _, err := relay.WriteTo(request, to); err != nil {
			env.Log.Info("the relay accepts no data", "err", err)
			return nil, nil
		}
		if relayedAnswer(ctx, relay, buf, id, wait) {
			rtt := float64(env.Clock.Now().Sub(sent)) / float64(time.Millisecond)
			if answers++; rttMS == nil || rtt < *rttMS {
				rttMS = &rtt
			}
		}
		if answers == echoes || ctx.Err() != nil {
			break
		}
	}
	if answers == 0 && ctx.Err() != nil {
		return nil, nil
	}
	return new(answers > 0), rttMS
}

func relayedAnswer(ctx context.Context, relay net.PacketConn, buf []byte, id transactionID, wait time.Duration) bool {
	if relay.SetReadDeadline(time.Now().Add(wait)) != nil {
		return false
	}
	for ctx.Err() == nil {
		n, _, err := relay.ReadFrom(buf)
		if err != nil {
			return false
		}
		if _, err := parseBinding(buf[:n], id); err == nil {
			return true
		}
	}
	return false
}

package path

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
)

// finalSilence is how long the end of a stream must have been silent before isUDPCut is called.
const finalSilence = time.Second

// becameSilent reports whether there were answers, and none after some time.
func becameSilent(s *periodic.Stream) bool {
	if !s.Counted() || s.Answered() < periodic.FewPackets {
		return false
	}
	lastSent, lastAnswered := time.Duration(0), time.Duration(0)
	for due, answered := range s.Fates {
		lastSent = max(lastSent, due)
		if answered {
			lastAnswered = max(lastAnswered, due)
		}
	}
	return lastSent-lastAnswered >= finalSilence
}

// isUDPCut reports whether UDP to a machine that had answered over UDP is blocked while the machine
// itself is reachable: some firewalls permit a stream at first and block it after classification.
// All transports are tested at the same time, since a line that was interrupted returns for all of
// them. The result is nil if the machine answers over none.
func (p path) isUDPCut(ctx context.Context, env probe.Env, at netip.AddrPort) *bool {
	byUDP, byEcho, byTCP := &periodic.Stream{}, &periodic.Stream{}, &periodic.Stream{}
	var wg guard.Group
	wg.Go(func() { byUDP = periodic.Run(ctx, env, trialPace, stunQuestion(env, at)) })
	wg.Go(func() { byEcho = periodic.Run(ctx, env, trialPace, p.echo(at.Addr())) })
	wg.Go(func() {
		byTCP = periodic.Run(ctx, env, trialPace, func(ctx context.Context) (echo.Reply, error) {
			return echo.TCP(ctx, env, at.Addr(), strconv.Itoa(int(at.Port())))
		})
	})
	wg.Wait()
	switch {
	case byUDP.Answered() > 0:
		return new(false)
	case byUDP.Sent < trialPace.Count, byEcho.Answered() == 0 && byTCP.Answered() == 0:
		return nil
	}
	return new(true)
}

// askedOverUDP returns the destination of the stream to a point if it used UDP.
func askedOverUDP(points []point, name string) (at netip.AddrPort, ok bool) {
	for _, p := range points {
		if p.name == name && p.udp.IsValid() {
			return p.udp, true
		}
	}
	return at, false
}

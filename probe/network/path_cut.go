package network

import (
	"context"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// silentForGood is for how long the end of a stream must have been silent before
// the question comes up whether it is UDP alone that no longer passes.
const silentForGood = time.Second

// fellSilent says that answers came, and from some time on not one more.
func (s *stream) fellSilent() bool {
	if !s.counted() || s.answered() < fewPackets {
		return false
	}
	lastSent, lastAnswered := time.Duration(0), time.Duration(0)
	for due, answered := range s.fates {
		lastSent = max(lastSent, due)
		if answered {
			lastAnswered = max(lastAnswered, due)
		}
	}
	return lastSent-lastAnswered >= silentForGood
}

// isUDPCut says whether UDP to a machine, of which answers over UDP had come
// before, is stopped while the machine itself can be reached: some firewalls let
// a stream begin and stop it once they have learnt what it is. All ways are
// asked at the same time, since a line that was gone for a while is back for
// all of them. nil where the machine answers by none.
func (p path) isUDPCut(ctx context.Context, env probe.Env, at netip.AddrPort) *bool {
	byUDP, byEcho, byTCP := &stream{}, &stream{}, &stream{}
	var wg sync.WaitGroup
	wg.Go(func() { byUDP = runStream(ctx, env, trialPace, stunQuestion(env, at)) })
	wg.Go(func() { byEcho = runStream(ctx, env, trialPace, p.echo(at.Addr())) })
	wg.Go(func() {
		byTCP = runStream(ctx, env, trialPace, func(ctx context.Context) (echo.Reply, error) {
			return askTCP(ctx, env, at.Addr(), strconv.Itoa(int(at.Port())))
		})
	})
	wg.Wait()
	switch {
	case byUDP.answered() > 0:
		return new(false)
	case byUDP.sent < trialPace.count, byEcho.answered() == 0 && byTCP.answered() == 0:
		return nil
	}
	return new(true)
}

// askedOverUDP is where the stream to a point went if it went over UDP.
func askedOverUDP(points []point, name string) (at netip.AddrPort, ok bool) {
	for _, p := range points {
		if p.name == name && p.udp.IsValid() {
			return p.udp, true
		}
	}
	return at, false
}

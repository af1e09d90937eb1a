package path

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
)

// A line with an MTU below that of the interface works as long as its router reports it (RFC 1191,
// RFC 8201). If these messages are filtered, large packets are dropped: the voice passes, and TLS
// connections hang.
const (
	// The first seconds of a check have the most traffic. The two kinds of requests alternate.
	mtuAfter  = 2500 * time.Millisecond
	mtuTurn   = 500 * time.Millisecond
	mtuRounds = 6
	mtuEvery  = 700 * time.Millisecond
	mtuWait   = 1200 * time.Millisecond
	// mtuSmallLeast of the small packets must be answered for a conclusion from unanswered large
	// ones: with 50 % loss this occurs twice in a thousand times by chance.
	mtuSmallLeast = 5
	// ethernetMTU is the largest size; jumbo frames end at the router.
	ethernetMTU = 1500
	// minMTU is carried by every network (RFC 8200 §5); smaller sizes are not tested.
	minMTU = 1280
)

// errTooLarge means that this computer does not send the packet because a router has reported a
// smaller path MTU before.
var errTooLarge = errors.New("the packet is too large for the path, as known to the system")

// askLarge determines whether large packets are dropped on the path to a server. A padded STUN
// request is large in one direction only. An echo request is large in both, but some firewalls
// drop it because of its size. Therefore STUN decides if its large packets are dropped, and
// otherwise the echo requests decide if theirs are.
func (p path) askLarge(ctx context.Context, env probe.Env, found surveyed, data *report.NetworkPath) {
	size := packetBytes(found.adapter)
	if size <= minMTU || env.Clock.Sleep(ctx, mtuAfter) != nil {
		return
	}
	looking, err := env.Enter(ctx, PhaseLarge)
	if err != nil {
		return
	}
	defer looking.Leave()
	far := found.far
	at := far.stun
	if !at.IsValid() && far.collector.IsValid() {
		at = netip.AddrPortFrom(far.collector, lookup.STUNPort)
	}
	var byUDP, byICMP sizes
	var wg guard.Group
	if at.IsValid() {
		wg.Go(func() {
			byUDP = compareSizes(ctx, env, stunQuestion(env, at), func(ctx context.Context) (echo.Reply, error) {
				return askLargeSTUN(ctx, env, at, size)
			})
		})
	}
	if large, ok := p.Asker.(echo.LargeAsker); ok && far.isKnown() {
		wg.Go(func() {
			_ = env.Clock.Sleep(ctx, mtuTurn)
			byICMP = compareSizes(ctx, env, p.echo(far.toward()), func(ctx context.Context) (echo.Reply, error) {
				r, err := large.AskLarge(ctx, far.toward(), size)
				if errors.Is(err, echo.ErrTooLarge) {
					return r, fmt.Errorf("%w: %w", errTooLarge, err)
				}
				return r, err
			})
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return // interrupted, which does not mean dropped
	}
	byICMP.record(data, "icmp", size)
	if vanish := data.MTUBlackhole; vanish == nil || !*vanish || byUDP.vanish() {
		byUDP.record(data, "udp", size)
	}
}

// packetBytes returns the packet size to test, without the link layer.
func packetBytes(a adapter.Adapter) int {
	if a.MTU <= 0 {
		return ethernetMTU
	}
	return min(a.MTU, ethernetMTU)
}

// sizes contains the results of small and large packets.
type sizes struct {
	rounds, small int
	// vanished is the number of large packets that were sent and not answered.
	vanished     int
	large, known bool
}

// compareSizes sends pairs of a small and a large packet until a large one is answered or known to
// be too large, all rounds are over, or no small one was answered in half of them.
func compareSizes(ctx context.Context, env probe.Env, small, large echo.Question) sizes {
	var mu sync.Mutex
	var wg guard.Group
	var s sizes
	done := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return s.large || s.known || s.rounds == mtuRounds/2 && s.small == 0
	}
	for i := 0; i < mtuRounds && ctx.Err() == nil && !done(); i++ {
		mu.Lock()
		s.rounds++
		mu.Unlock()
		waiting, cancel := context.WithTimeout(ctx, mtuWait)
		defer cancel()
		wg.Go(func() {
			_, err := small(waiting)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				s.small++
			}
		})
		wg.Go(func() {
			r, err := large(waiting)
			mu.Lock()
			defer mu.Unlock()
			s.large = s.large || err == nil && r.Kind == echo.Reached
			if isSilence(err) {
				s.vanished++
			}
			s.known = s.known || errors.Is(err, errTooLarge) || err == nil && (r.Kind == echo.Unreachable || r.Kind == echo.Prohibited)
		})
		if env.Clock.Sleep(ctx, mtuEvery) != nil {
			break
		}
	}
	wg.Wait()
	return s
}

// vanish reports whether large packets are dropped and small ones are not.
func (s sizes) vanish() bool {
	return !s.large && !s.known && s.vanished == mtuRounds && s.small >= mtuSmallLeast
}

func (s sizes) record(data *report.NetworkPath, by string, size int) {
	switch {
	case s.large:
		data.MTUBlackhole, data.MTUBy, data.MTUWorksBytes = new(false), by, &size
	case s.known && s.small > 0:
		data.MTUBlackhole, data.MTUBy = new(false), by
	case s.vanish():
		data.MTUBlackhole, data.MTUBy = new(true), by
	}
}

// attrPadding enlarges a request (RFC 5780 §7.6). A server that does not support it responds with
// error 420, which is an answer too.
const attrPadding = stun.AttrType(0x0026)

// askLargeSTUN sends one binding request as an unfragmented IP packet of a given size.
func askLargeSTUN(ctx context.Context, env probe.Env, to netip.AddrPort, size int) (echo.Reply, error) {
	headers := 20 + 8 + 20 + 4 // IPv4, UDP, STUN, attribute
	if to.Addr().Is6() {
		headers += 20
	}
	padding := make([]byte, (size-headers)&^3)
	request, err := echo.BindingRequest(env, stun.RawAttribute{Type: attrPadding, Value: padding})
	if err != nil {
		return echo.Reply{}, err
	}
	conn, err := env.DialWith(ctx, &net.Dialer{Control: dontFragment}, "udp", to.String())
	if err != nil {
		return echo.Reply{}, fmt.Errorf("open a socket for STUN: %w", err)
	}
	r, err := echo.ExchangeSTUN(ctx, env, conn, to.Addr(), request)
	if isTooLarge(err) {
		return r, fmt.Errorf("%w: %w", errTooLarge, err)
	}
	return r, err
}

package nat

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// lifetimeSteps is the number of idle times that are tested concurrently, each with its own binding. The
// binary search of RFC 5780 §4.6 takes several times the lifetime, a round of concurrent tests takes it once.
const lifetimeSteps = 12

// StreamTime is the age at which a binding is used once more before its idle time. Linux gives a binding that is
// used more than 2 s after its first packet the timeout of a stream, 120 s instead of 30 s
// (nf_conntrack_proto_udp.c), which is the one that a call gets.
const StreamTime = 2500 * time.Millisecond

// lifetime returns how many seconds a binding without traffic exists: the longest idle time after which one
// still worked, at most longest. It is nil if unknown, as with a server without RESPONSE-PORT.
func (l *lab) lifetime(ctx context.Context, longest time.Duration) *float64 {
	if l.outlives(ctx, 0) != answered {
		return nil
	}
	// The second round tests between the steps of the first.
	survived, expired := time.Duration(0), longest+longest/lifetimeSteps
	for range 2 {
		var ok bool
		if survived, expired, ok = l.narrow(ctx, survived, expired); !ok {
			return nil
		}
		if survived >= longest {
			break
		}
	}
	return new(min(survived, longest).Seconds())
}

// narrow tests idle times between survived and expired. Once a binding has not survived one, longer ones are not
// needed.
func (l *lab) narrow(ctx context.Context, survived, expired time.Duration) (longestSurvived, shortestExpired time.Duration, ok bool) {
	step := (expired - survived) / (lifetimeSteps + 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var wg guard.Group
	ok = true
	longestSurvived, shortestExpired = survived, expired
	for k := range lifetimeSteps {
		idle := survived + time.Duration(k+1)*step
		wg.Go(func() {
			s := l.outlives(ctx, idle)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case idle > shortestExpired: // no longer needed
			case s == answered:
				longestSurvived = max(longestSurvived, idle)
			case s == silent:
				shortestExpired = idle
				stop()
			case ctx.Err() == nil || shortestExpired == expired:
				ok = false
				stop()
			}
		})
	}
	wg.Wait()
	return longestSurvived, shortestExpired, ok && longestSurvived < shortestExpired
}

// setters sign a request. Our server sends to another port only with valid credentials; other servers ignore
// the signature.
func (c credentials) setters() []stun.Setter {
	if c.username == "" {
		return nil
	}
	return []stun.Setter{stun.NewUsername(c.username), stun.NewShortTermIntegrity(c.password)}
}

// outlives binds socket X as a stream does, leaves it idle, and makes the server send to its mapped port, on request of another
// socket: a packet from X itself would renew the binding. The result is silent only if the same works with a new
// X without an idle time: a line that failed meanwhile must not look like a short lifetime.
func (l *lab) outlives(ctx context.Context, idle time.Duration) state {
	x, mapped, ok := l.mappedSocket(ctx)
	if !ok {
		return notAsked
	}
	defer x.close()
	if idle > 0 {
		if l.env.Clock.Sleep(ctx, StreamTime) != nil {
			return notAsked
		}
		if mapped = x.ask(ctx, l.timers, basic(l.primary)).mapped; !mapped.IsValid() || l.env.Clock.Sleep(ctx, idle) != nil {
			return notAsked
		}
	}
	y, err := openUDP(l.env, l.primary)
	if err != nil {
		return notAsked
	}
	defer y.close()
	id, err := newTransactionID(l.env.Rand)
	if err != nil {
		return notAsked
	}
	port := make([]byte, 4) // RFC 5780 §7.5: two bytes of port, two reserved
	binary.BigEndian.PutUint16(port, mapped.Port())
	request, err := bindingRequest(id, append([]stun.Setter{
		stun.RawAttribute{Type: stun.AttrResponsePort, Value: port},
	}, l.proof.setters()...)...)
	if err != nil {
		return notAsked
	}
	for _, wait := range l.timers.waits() {
		if _, err := y.conn.WriteTo(request, net.UDPAddrFromAddrPort(l.primary)); err != nil {
			return notAsked
		}
		if heard(ctx, x, id, wait) {
			return answered
		}
		if ctx.Err() != nil {
			return notAsked
		}
	}
	if idle > 0 && l.outlives(ctx, 0) != answered {
		return notAsked
	}
	return silent
}

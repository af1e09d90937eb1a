package reflect

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/server/limit"
)

// Limits of what one network is answered over UDP without a proof that it asked:
// the source of a datagram may be forged, and the answers then reach somebody
// who is to be flooded.
//
// The network is an IPv4 /24 or an IPv6 /48 (limit.NetworkKey): a flood aims at a
// line, which has more than one address, and what a forger gains by spreading it
// over a network ends here.
const (
	// A check asks some 300 times in 10 s. The burst is an office of 100 computers
	// that all begin at once, which must not read as loss on their line; what a
	// forger gets out of it, once, is 1 MB, and then 32 kB a second.
	requestsBurst = 30_000
	requestsEvery = time.Millisecond
	// Answers that are longer than what they answer: to clients of other programs
	// that ask for OTHER-ADDRESS in the shortest way, and the challenge that TURN
	// begins with (RFC 8489 §9.2.3), of which a check needs some eight.
	largeBurst = 1_000
	largeEvery = 50 * time.Millisecond

	networksRemembered = 50_000
)

// answerLimits apply them. Our own addresses are exempt: the relay's sockets are
// there, and the sum of all agents asks from them.
type answerLimits struct {
	requests, longer *limit.Limiter
	own              atomic.Pointer[map[netip.Addr]bool]
	count            *counters
}

func newAnswerLimits(now func() time.Time, count *counters) *answerLimits {
	l := &answerLimits{
		requests: limit.New(requestsEvery, requestsBurst, networksRemembered, now),
		longer:   limit.New(largeEvery, largeBurst, networksRemembered, now),
		count:    count,
	}
	l.setOwn(nil)
	return l
}

func (l *answerLimits) setOwn(present []netip.Addr) {
	own := map[netip.Addr]bool{}
	for _, a := range present {
		own[a] = true
	}
	l.own.Store(&own)
}

// request reports whether one more request of that source may be answered.
func (l *answerLimits) request(from netip.Addr) bool { return l.take(l.requests, from) }

// large reports whether that source may get one more answer that is longer than
// its request.
func (l *answerLimits) large(from netip.Addr) bool { return l.take(l.longer, from) }

func (l *answerLimits) take(from *limit.Limiter, a netip.Addr) bool {
	a = a.Unmap()
	if a.IsLoopback() || (*l.own.Load())[a] {
		return true
	}
	_, ok := from.Allow(limit.NetworkKey(a))
	if !ok {
		l.count.limited.Add(1)
	}
	return ok
}

// admits reports whether a packet of that source goes on to be read. Data and
// indications get no answer and are not limited here.
func (l *answerLimits) admits(b []byte, from netip.Addr) bool {
	if !isRequest(b) {
		return true
	}
	if !l.request(from) {
		return false
	}
	// TURN challenges whoever sends no integrity, in a long answer.
	return isBindingRequest(b) || hasAttribute(b, stun.AttrMessageIntegrity) || l.large(from)
}

// isRequest looks at the two bits of the class (RFC 8489 §5).
func isRequest(b []byte) bool {
	return len(b) >= 20 && b[0]&0xc0 == 0 && binary.BigEndian.Uint16(b)&0x0110 == 0 && stun.IsMessage(b)
}

package reflector

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/server/limit"
)

// Limits of the responses to one network over UDP without proof of its address: the source of a
// datagram may be forged, and the responses then reach a victim.
//
// The network is an IPv4 /24 or an IPv6 /48 (limit.NetworkKey): a flood targets a line, which
// has more than one address, and spreading the forged sources over a network gains nothing.
const (
	// A check sends about 300 requests in 10 s. The burst allows an office of 100 computers to
	// start at the same time without apparent loss. An attacker obtains 1 MB once, and then 32 kB
	// a second.
	requestsBurst = 30_000
	requestsEvery = time.Millisecond
	// Responses that are longer than their request: to clients of other programs that ask for
	// OTHER-ADDRESS in the shortest form, and the initial challenge of TURN (RFC 8489 §9.2.3), of
	// which a check needs about eight.
	largeBurst = 1_000
	largeEvery = 50 * time.Millisecond

	networksRemembered = 50_000
)

// answerLimits applies these limits. Our own addresses are exempt, because the relay's sockets
// use them for all agents together.
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

// request reports whether one more request from that source may be answered.
func (l *answerLimits) request(from netip.Addr) bool { return l.take(l.requests, from) }

// large reports whether one more response to that source may be longer than its request.
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

// admits reports whether a packet from that source may be processed. Data and indications get
// no response and are not limited here.
func (l *answerLimits) admits(b []byte, from netip.Addr) bool {
	if !isRequest(b) {
		return true
	}
	if !l.request(from) {
		return false
	}
	// TURN sends a challenge, a long response, to each request without integrity.
	return isBindingRequest(b) || hasAttribute(b, stun.AttrMessageIntegrity) || l.large(from)
}

// isRequest checks the two class bits (RFC 8489 §5).
func isRequest(b []byte) bool {
	return len(b) >= 20 && b[0]&0xc0 == 0 && binary.BigEndian.Uint16(b)&0x0110 == 0 && stun.IsMessage(b)
}

package reflect

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// selfCheck asks the reflector's own UDP ports a question each, as an agent does.
// It tells an agent that hears nothing of us that we are awake. Whether anybody
// gets through to us it cannot tell: for that there is [heard].
type selfCheck struct {
	mu       sync.Mutex
	tried    time.Time
	answered time.Time // zero: never
}

const (
	// selfCheckEvery keeps a thousand checks at once from asking a thousand times.
	selfCheckEvery = 2 * time.Second
	// selfCheckWait is thousands of times what a question within a machine takes:
	// a busy one that answers late is awake all the same. A closed port is told at
	// once.
	selfCheckWait = time.Second
)

// answeredAgo is how long ago, in ms, both ports last answered; nil where they
// do not.
func (r *Reflector) answeredAgo() *int64 {
	c := &r.self
	c.mu.Lock()
	defer c.mu.Unlock()
	now := r.cfg.Now()
	if since := now.Sub(c.tried); since >= selfCheckEvery || since < 0 {
		c.tried, c.answered = now, time.Time{}
		if r.answersItself() {
			c.answered = now
		}
	}
	if c.answered.IsZero() {
		return nil
	}
	return new(now.Sub(c.answered).Milliseconds())
}

// answersItself says whether an address of the STUN port and one of the media
// port answer. Not all of them need to: interfaces come and go, and a socket on
// an address that is no more answers nobody.
func (r *Reflector) answersItself() bool {
	ctx, cancel := context.WithTimeout(context.Background(), selfCheckWait)
	defer cancel()
	var stunPort, mediaPort bool
	var both sync.WaitGroup
	both.Go(func() { stunPort = anyAnswers(ctx, r.relay.addrs, stun.BindingRequest, stun.Fingerprint) })
	both.Go(func() { mediaPort = r.mediaAnswers(ctx) })
	both.Wait()
	return stunPort && mediaPort
}

// mediaAnswers enters a session for the time of one connectivity check, since the
// media port answers nobody else (RFC 8445 §7.3).
func (r *Reflector) mediaAnswers(ctx context.Context) bool {
	s := newSession(r, "", "")
	s.ufrag, s.pwd, s.offer.ufrag = rand.Text(), rand.Text(), rand.Text()
	r.media.enter(s)
	defer s.leaveNoTrace()
	return anyAnswers(ctx, r.media.addrs, stun.BindingRequest,
		stun.NewUsername(s.ufrag+":"+s.offer.ufrag), stun.NewShortTermIntegrity(s.pwd), stun.Fingerprint)
}

// leaveNoTrace ends a session that never had a place among the others.
func (s *session) leaveNoTrace() {
	s.stop()
	s.r.media.leave(s)
	s.mu.Lock()
	paths := s.paths
	s.ended, s.paths = true, nil
	s.mu.Unlock()
	_ = s.keying.Close()
	for _, p := range paths {
		p.close()
	}
}

// anyAnswers asks all addresses at once and waits for the first success.
func anyAnswers(ctx context.Context, addrs []netip.AddrPort, message ...stun.Setter) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan bool, len(addrs))
	for _, a := range addrs {
		go func() { answers <- oneAnswers(ctx, a, message) }()
	}
	for range addrs {
		if <-answers {
			return true
		}
	}
	return false
}

// oneAnswers asks one address, once: within a machine nothing gets lost.
func oneAnswers(ctx context.Context, at netip.AddrPort, message []stun.Setter) bool {
	request, err := stun.Build(append([]stun.Setter{stun.TransactionID}, message...)...)
	if err != nil {
		return false
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(request.Raw); err != nil {
		return false
	}
	b := make([]byte, 1500)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return false
		}
		answer := stun.Message{Raw: b[:n]}
		if answer.Decode() == nil && answer.TransactionID == request.TransactionID {
			return answer.Type == stun.BindingSuccess
		}
	}
}

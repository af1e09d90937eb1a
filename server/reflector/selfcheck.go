package reflector

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// selfCheck sends a request to each of the reflector's own UDP ports, like an agent. It
// tells an agent that receives no answer whether the reflector is running. It cannot tell
// whether others can reach it; see [heard].
type selfCheck struct {
	ask func() awake
	now func() time.Time

	mu    sync.Mutex
	under chan struct{} // closed when the current check ends; nil if none is running
	tried time.Time     // start time of the last completed check; zero if there was none
	awake awake         // result of the last completed check
}

// awake reports on which addresses both ports answer: one that other machines can use, and
// a loopback one. A reflector that has only loopback addresses so far must not tell
// participants that it is reachable.
type awake struct{ far, near bool }

func (a awake) to(loopback bool) bool { return a.far || loopback && a.near }

const (
	// selfCheckEvery limits the rate of checks when many agents ask at the same time.
	selfCheckEvery = 2 * time.Second
	// selfCheckStale is the maximum age of a result that is used while the next check is
	// running. The age is part of the answer.
	selfCheckStale = 4 * time.Second
	// selfCheckWait is thousands of times the round trip within a machine. A busy reflector
	// that answers late is running all the same. A closed port is detected at once.
	selfCheckWait = time.Second
)

// ago returns the time in ms since both ports last answered; nil if they do not. loopback
// means that the client can use a loopback address.
func (c *selfCheck) ago(loopback bool) *int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := c.age()
	if age < 0 || age >= selfCheckEvery {
		under := c.begin()
		if age < 0 || age >= selfCheckStale || !c.awake.to(loopback) {
			c.mu.Unlock() // a check takes up to selfCheckWait
			<-under
			c.mu.Lock()
			age = max(0, c.age())
		}
	}
	if !c.awake.to(loopback) {
		return nil
	}
	return new(age.Milliseconds())
}

// age returns the age of the last result; negative if there is none, or if the clock was
// set back.
func (c *selfCheck) age() time.Duration {
	if c.tried.IsZero() {
		return -1
	}
	return c.now().Sub(c.tried)
}

// begin starts a check unless one is running. The caller holds mu.
func (c *selfCheck) begin() (under <-chan struct{}) {
	if c.under == nil {
		done := make(chan struct{})
		c.under = done
		go func() {
			began, found := c.now(), c.ask()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tried, c.awake, c.under = began, found, nil
			close(done)
		}()
	}
	return c.under
}

// isLoopbackHost reports whether a client that uses this name is on this machine.
func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// answersItself reports where an address of the STUN port and one of the media port answer.
// Not all of them need to; [Reflector.Check] names those that do not.
func (r *Reflector) answersItself() awake {
	ctx, cancel := context.WithTimeout(context.Background(), selfCheckWait)
	defer cancel()
	var stunPort, mediaPort awake
	var all sync.WaitGroup
	ask := func(to *bool, any func() bool) { all.Go(func() { *to = any() }) }
	stunFar, stunNear := byReach(r.relay.ports.addresses())
	mediaFar, mediaNear := byReach(r.media.addresses())
	ask(&stunPort.far, func() bool { return anyAnswers(ctx, stunFar, bindingQuestion...) })
	ask(&stunPort.near, func() bool { return anyAnswers(ctx, stunNear, bindingQuestion...) })
	ask(&mediaPort.far, func() bool { return r.mediaAnswers(ctx, mediaFar) })
	ask(&mediaPort.near, func() bool { return r.mediaAnswers(ctx, mediaNear) })
	all.Wait()
	return awake{stunPort.far && mediaPort.far, stunPort.near && mediaPort.near}
}

var bindingQuestion = []stun.Setter{stun.BindingRequest, stun.Fingerprint}

// byReach separates the addresses that other machines can use from loopback ones.
func byReach(all []netip.AddrPort) (far, near []netip.AddrPort) {
	for _, a := range all {
		if a.Addr().IsLoopback() {
			near = append(near, a)
		} else {
			far = append(far, a)
		}
	}
	return far, near
}

// mediaAnswers reports whether one of these addresses of the media port answers.
func (r *Reflector) mediaAnswers(ctx context.Context, addrs []netip.AddrPort) bool {
	question, end := r.mediaQuestion()
	defer end()
	return anyAnswers(ctx, addrs, question...)
}

// mediaQuestion registers a session for the duration of a connectivity check, because the
// media port answers nobody else (RFC 8445 §7.3), and returns the request to send.
func (r *Reflector) mediaQuestion() (question []stun.Setter, end func()) {
	s := newSession(r, "", "")
	s.ufrag, s.pwd, s.offer.ufrag = rand.Text(), rand.Text(), rand.Text()
	r.media.enter(s)
	return []stun.Setter{stun.BindingRequest,
		stun.NewUsername(s.ufrag + ":" + s.offer.ufrag), stun.NewShortTermIntegrity(s.pwd), stun.Fingerprint}, s.leaveNoTrace
}

// leaveNoTrace ends a session that was never registered among the others.
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

// anyAnswers sends to all addresses at once and waits for the first success.
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

// oneAnswers sends a single request to one address: within a machine nothing is lost.
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

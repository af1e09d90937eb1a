package reflect

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

// selfCheck asks the reflector's own UDP ports a question each, as an agent does.
// It tells an agent that hears nothing of us that we are awake. Whether anybody
// gets through to us it cannot tell: for that there is [heard].
type selfCheck struct {
	ask func() awake
	now func() time.Time

	mu    sync.Mutex
	under chan struct{} // closed when the check that is under way ends; nil: none is
	tried time.Time     // when the last one that ended began; zero: none has
	awake awake         // what it found
}

// awake says where both ports answer: on an address that other machines can use,
// and on a loopback one. A reflector that has only its loopback addresses so far
// must not tell participants that the silence is not its own.
type awake struct{ far, near bool }

func (a awake) to(loopback bool) bool { return a.far || loopback && a.near }

const (
	// selfCheckEvery keeps a thousand checks at once from asking a thousand times.
	selfCheckEvery = 2 * time.Second
	// selfCheckStale is how old an answer may be while the next check is under way.
	// It is told with its age.
	selfCheckStale = 4 * time.Second
	// selfCheckWait is thousands of times what a question within a machine takes:
	// a busy one that answers late is awake all the same. A closed port is told at
	// once.
	selfCheckWait = time.Second
)

// ago is how long ago, in ms, both ports last answered; nil where they do not.
// loopback says that who asks can use a loopback address of ours.
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

// age is that of the last result; negative when there is none, or the clock was
// set back.
func (c *selfCheck) age() time.Duration {
	if c.tried.IsZero() {
		return -1
	}
	return c.now().Sub(c.tried)
}

// begin starts a check, unless one is under way. The caller holds mu.
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

// answersItself says where an address of the STUN port and one of the media port
// answer. Not all of them need to: [Reflector.Check] tells which do not.
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

// mediaAnswers says whether one of these addresses of the media port answers.
func (r *Reflector) mediaAnswers(ctx context.Context, addrs []netip.AddrPort) bool {
	question, end := r.mediaQuestion()
	defer end()
	return anyAnswers(ctx, addrs, question...)
}

// mediaQuestion enters a session for the time of connectivity checks, since the
// media port answers nobody else (RFC 8445 §7.3), and returns what to ask.
func (r *Reflector) mediaQuestion() (question []stun.Setter, end func()) {
	s := newSession(r, "", "")
	s.ufrag, s.pwd, s.offer.ufrag = rand.Text(), rand.Text(), rand.Text()
	r.media.enter(s)
	return []stun.Setter{stun.BindingRequest,
		stun.NewUsername(s.ufrag + ":" + s.offer.ufrag), stun.NewShortTermIntegrity(s.pwd), stun.Fingerprint}, s.leaveNoTrace
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
